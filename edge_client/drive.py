"""The threads of one drive: put together, and taken apart in order."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_client.blur import Blurring
from edge_client.clock import Clock
from edge_client.config import EdgeSettings
from edge_client.counters import Counters
from edge_client.pipeline.asking import Asking
from edge_client.pipeline.capture import Capture
from edge_client.pipeline.coordinator import Coordinator, Parts
from edge_client.pipeline.events import Captured, Crashed, Event
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.pipeline.room import Room
from edge_client.pipeline.saver import Saver
from edge_client.pipeline.screen import Screen
from edge_client.pipeline.settling import Settling
from edge_client.pipeline.status import Gauges, StatusReport
from edge_client.recording.setup import DriveRecording
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import Apis
from edge_client.requests.pool import RequestPool
from edge_client.spool.spool import Spool
from edge_client.types import Display, FrameSource, LiveStatus, PositionSource, ReadStore, UtcSource

_REALTIME_FRAMES = 512
_CAPTURE_END_S = 0.5
_POOL_END_S = 0.3
_DISPLAYS_END_S = 60.0
_SAVER_END_S = 20.0
_RECORDING_END_S = 10.0
_STOP_DISPLAYS_S = 3.6  # after a stop all has to be over within 5 s
_STOP_RECORDING_S = 4.0
_STOP_SAVER_S = 4.4
_LEAST_S = 0.2
_MARGIN_S = 0.05
_CATCH_UP_LOOK_S = 0.2


class Drive:
    """Puts the threads of a drive together, and takes them apart in order. ``uid`` is the drive's, a hex UUID."""

    def __init__(
        self,
        uid: str,
        settings: EdgeSettings,
        frames: FrameSource,
        positions: PositionSource,
        clock: Clock,
        recording: DriveRecording,
        apis: Apis,
        adaptation: Adaptation,
        counters: Counters,
        *,
        full: bool,
        spool: Path | None,
    ) -> None:
        self._uid = uid
        self._clock = clock
        self._recording = recording
        self._settings = settings
        self._full = full
        self._frames = frames
        self._live = frames.live
        self._apis = apis
        self._adaptation = adaptation
        self._spool_path = spool
        self._counters = counters
        self._positions = positions
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._saver: Saver | None = None
        self._room = Room(settings.reassembly.frames_at_once if full else _REALTIME_FRAMES)
        self._capture = Capture(
            frames,
            positions,
            counters,
            self._room,
            self._deliver,
            utc=clock.utc,
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
        self._adaptation.drive(pool)
        settling = Settling(self._positions, self._uid)
        saver = self._saver = Saver(store, settling, drive=self._uid)
        spool = Spool(self._uid, self._spool_path, settings, pool, self._apis, self._adaptation, saver.put)
        saver.tell_saved(spool.saved)
        self._clock.subscribe(spool.correct)
        reading = PlateReading(self._uid, settings, cars=settings.vehicles.enabled)
        self._counters.attach(
            uplink=self._adaptation.summary, spool=spool.summary, left=spool.left, vehicles=reading.cars
        )
        self._clock.subscribe(saver.correct)
        tap = self._recording.tap
        screen = Screen(
            displays if tap is None else (*displays, tap),
            settings.reassembly.display_queue,
            on_delivered=self._room.leave,
            on_crash=lambda error: self._inbox.put(Crashed(error)),
            patient=not self._live,
            blurring=Blurring(settings.privacy),
            named=saver.named,
        )
        gauges = Gauges(
            camera=self._frames.status,
            gps=self._positions.status,
            recording=self._recording.status,
            network=spool.network,
            store=saver.status,
            alerts=saver.alerts,
            utc_source=self._utc_source,
            clock_set=lambda: self._clock.is_set,
        )
        status = StatusReport(self._counters, self._apis, pool, gauges, on_status, drive=self._uid)

        def tick() -> bool:
            spool.tick()
            status.publish()
            if screen.closed_by_user():
                stop.set()
            return stop.is_set()

        coordinator = Coordinator(
            settings,
            Parts(
                pool=pool,
                adaptation=self._adaptation,
                asking=Asking(pool, self._apis, self._adaptation, settings.detection, self._inbox.put),
                reading=reading,
                saver=saver,
                spool=spool,
                screen=screen,
                counters=self._counters,
                room=self._room,
            ),
            self._inbox,
            full=full,
            frame_rate_hz=self._frames.frame_rate_hz,
            deadline_s=self._deadline_s(),
            on_tick=tick,
            on_stop=self._wind_down,
        )
        try:
            self._capture.start()
            source_error = coordinator.run()
            if coordinator.stopped_at_s is None and not self._live:
                self._catch_up(spool, stop, tick)
        finally:
            self._wind_down()
            self._capture.join(_CAPTURE_END_S)
            spool.close()
            pool.close(_POOL_END_S)
            self._apis.release()
            stopped_s = coordinator.stopped_at_s
            screen.close(_left_s(stopped_s, _STOP_DISPLAYS_S, _DISPLAYS_END_S))
            try:
                status.publish()
            finally:
                self._recording.close(_left_s(stopped_s, _STOP_RECORDING_S, _RECORDING_END_S))
                saver.close(_left_s(stopped_s, _STOP_SAVER_S, _SAVER_END_S))
                spool.release()
        if source_error is not None:
            raise source_error

    def _catch_up(self, spool: Spool, stop: threading.Event, tick: Callable[[], bool]) -> None:
        """The recording is over: give what was kept of it some time to be read."""
        spool.finish()
        end_s = time.monotonic() + self._settings.offline.catch_up_s
        while not spool.idle and time.monotonic() < end_s and not stop.wait(_CATCH_UP_LOOK_S):
            tick()

    def _deliver(self, event: Event) -> None:
        if isinstance(event, Captured):
            self._recording.captured(event.frame)
            if self._saver is not None:
                self._saver.captured(event.frame)
        self._inbox.put(event)

    def _utc_source(self) -> UtcSource:
        return self._clock.source if self._positions.utc_at(0.0) is None else UtcSource.RECORDING

    def _wind_down(self) -> None:
        self._capture.stop()
        self._apis.close()

    def _deadline_s(self) -> float:
        """At full rate a frame waits for its result; the deadline only guards against waiting for ever."""
        if not self._full:
            deadline_s = self._settings.reassembly.deadline_s
            return deadline_s - min(_MARGIN_S, deadline_s / 10)  # so that it is shown by then
        pool = self._settings.pool
        return 4 * (pool.outage_wait_s + pool.connect_timeout_s + pool.read_timeout_s)


def _left_s(stopped_s: float | None, after_stop_s: float, otherwise_s: float) -> float:
    """Time that is left for something: counted from the stop, if there was one."""
    if stopped_s is None:
        return otherwise_s
    return max(stopped_s + after_stop_s - time.monotonic(), _LEAST_S)
