"""One drive from its source to its displays and reads."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from cloud_apis.contract import API_KEY_HEADER
from edge_client.config import ApiSettings, EdgeSettings
from edge_client.counters import Counters
from edge_client.errors import ConfigError, DashcamError
from edge_client.pipeline.asking import Asking
from edge_client.pipeline.capture import Capture
from edge_client.pipeline.coordinator import Coordinator, Parts
from edge_client.pipeline.events import Crashed, Event
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.pipeline.room import Room
from edge_client.pipeline.saver import Saver
from edge_client.pipeline.screen import Screen
from edge_client.pipeline.status import Gauges, StatusReport
from edge_client.positions.replay import NmeaReplay, NoPosition
from edge_client.requests.apis import APIS, PlateApis
from edge_client.requests.embedded import EmbeddedApis
from edge_client.requests.endpoints import Endpoints, FixedEndpoints
from edge_client.requests.pool import RequestPool
from edge_client.requests.transport import Transport
from edge_client.sources.open import open_source
from edge_client.types import Display, FrameSource, LiveStatus, PositionSource, ReadStore, Summary

_LOG = logging.getLogger(__name__)
_KEY_VARIABLE = "DASHCAM_API_KEY"
_REALTIME_FRAMES = 512
_CAPTURE_END_S = 0.5
_POOL_END_S = 0.3
_DISPLAYS_END_S = 60.0
_SAVER_END_S = 20.0
_STOP_DISPLAYS_S = 3.6  # after a stop all has to be over within 5 s
_STOP_SAVER_S = 4.4
_LEAST_S = 0.2


def run_drive(
    settings: EdgeSettings,
    source: str | FrameSource,
    displays: Sequence[Display],
    store: ReadStore,
    stop: threading.Event,
    *,
    on_status: Callable[[LiveStatus], None] | None = None,
) -> Summary:
    """Play the source to its end, or until ``stop`` is set, and return the counters.

    ``source`` is a video file, a folder of pictures, an rtsp:// or http(s):// URL, or a V4L2 device
    (``/dev/video0`` or its number), or a source that is open already. ``on_status`` is called about twice a
    second, from this thread, and must not block. The source, the displays and the store are closed before
    this returns or raises.

    Raises a `DashcamError` whose message is one line; its ``summary`` holds the counters if the drive had
    begun. Degradations are counted, and logged as warnings below the logger ``edge_client``.
    """
    with ExitStack() as stack:
        stack.callback(store.close)
        for display in displays:
            stack.callback(display.close)
        key = _api_key(settings.apis)
        frames = open_source(source, settings.source) if isinstance(source, str) else source
        stack.callback(frames.close)
        positions = _positions(settings)
        stack.callback(positions.close)
        counters = Counters(APIS)
        endpoints = _endpoints(settings.apis, stop, stack)
        if endpoints is None:
            return counters.summary()
        full = settings.source.rate == "full" and not frames.live
        if settings.source.rate == "full" and frames.live:
            _LOG.warning("a live source cannot wait: it is played in real time")
        transport = Transport(
            settings.pool,
            {API_KEY_HEADER: key} if key is not None else None,
            str(settings.apis.ca_file) if settings.apis.ca_file is not None else None,
        )
        apis = PlateApis(endpoints, transport, settings.pool, counters, patient=full)
        drive = _Drive(settings, frames, positions, apis, counters, full=full)
        try:
            drive.run(displays, store, stop, on_status)
        except DashcamError as error:
            error.summary = counters.summary()
            raise
        return counters.summary()


class _Drive:
    """Puts the threads of a drive together, and takes them apart in order."""

    def __init__(
        self,
        settings: EdgeSettings,
        frames: FrameSource,
        positions: PositionSource,
        apis: PlateApis,
        counters: Counters,
        *,
        full: bool,
    ) -> None:
        self._settings = settings
        self._full = full
        self._frames = frames
        self._live = frames.live
        self._apis = apis
        self._counters = counters
        self._positions = positions
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._room = Room(settings.reassembly.frames_at_once if full else _REALTIME_FRAMES)
        self._capture = Capture(
            frames,
            positions,
            counters,
            self._room,
            self._inbox.put,
            paced=not full and not frames.live,
            skipped=settings.source.frames_to_skip,
        )

    def run(
        self,
        displays: Sequence[Display],
        store: ReadStore,
        stop: threading.Event,
        on_status: Callable[[LiveStatus], None] | None,
    ) -> None:
        """Work until the source has ended or ``stop`` is set."""
        settings, full = self._settings, self._full
        pool = RequestPool(settings.pool.max_in_flight)
        saver = Saver(store)
        screen = Screen(
            displays,
            settings.reassembly.display_queue,
            on_delivered=self._room.leave,
            on_crash=lambda error: self._inbox.put(Crashed(error)),
            patient=not self._live,
        )
        drive = uuid.uuid4().hex
        gauges = Gauges(camera=self._frames.status, gps=self._positions.status, store=saver.status)
        status = StatusReport(self._counters, self._apis, pool, gauges, on_status, drive=drive)

        def tick() -> bool:
            status.publish()
            if screen.closed_by_user():
                stop.set()
            return stop.is_set()

        coordinator = Coordinator(
            settings,
            Parts(
                pool=pool,
                asking=Asking(pool, self._apis, settings.detection, self._inbox.put),
                reading=PlateReading(drive, settings, full=full),
                saver=saver,
                screen=screen,
                counters=self._counters,
                room=self._room,
            ),
            self._inbox,
            full=full,
            deadline_s=self._deadline_s(),
            on_tick=tick,
            on_stop=self._wind_down,
        )
        try:
            self._capture.start()
            source_error = coordinator.run()
        finally:
            self._wind_down()
            self._capture.join(_CAPTURE_END_S)
            pool.close(_POOL_END_S)
            self._apis.release()
            stopped_s = coordinator.stopped_at_s
            screen.close(_left_s(stopped_s, _STOP_DISPLAYS_S, _DISPLAYS_END_S))
            try:
                status.publish()
            finally:
                saver.close(_left_s(stopped_s, _STOP_SAVER_S, _SAVER_END_S))
        if source_error is not None:
            raise source_error

    def _wind_down(self) -> None:
        self._capture.stop()
        self._apis.close()

    def _deadline_s(self) -> float:
        """At full rate a frame waits for its result; the deadline only guards against waiting for ever."""
        if not self._full:
            return self._settings.reassembly.deadline_s
        pool = self._settings.pool
        return 4 * (pool.outage_wait_s + pool.connect_timeout_s + pool.read_timeout_s)


def _left_s(stopped_s: float | None, after_stop_s: float, otherwise_s: float) -> float:
    """Time that is left for something: counted from the stop, if there was one."""
    if stopped_s is None:
        return otherwise_s
    return max(stopped_s + after_stop_s - time.monotonic(), _LEAST_S)


def _positions(settings: EdgeSettings) -> PositionSource:
    log = settings.positions.nmea_log
    return NmeaReplay(log, settings.positions.max_age_s) if log is not None else NoPosition()


def _endpoints(settings: ApiSettings, stop: threading.Event, stack: ExitStack) -> Endpoints | None:
    """The configured endpoints, or those of a child process; None when ``stop`` came before it was ready."""
    if settings.yolov3_endpoint is not None and settings.crnn_endpoint is not None:
        return FixedEndpoints(settings.yolov3_endpoint, settings.crnn_endpoint)
    embedded = EmbeddedApis(settings)
    stack.callback(embedded.close)
    return embedded if embedded.start(stop) else None


def _api_key(settings: ApiSettings) -> str | None:
    key = os.environ.get(_KEY_VARIABLE, "").strip()
    if not key and settings.api_key_file is not None:
        try:
            key = settings.api_key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"cannot read the API key file {settings.api_key_file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"the API key file {settings.api_key_file} is not text") from None
        if not key:
            raise ConfigError(f"the API key file {settings.api_key_file} is empty")
    if key and not (key.isascii() and key.isprintable()):
        raise ConfigError("the API key must be printable ASCII")
    return key or None
