"""One drive from its source to its displays and reads."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from edge_client.assembly import api_key_of, apis_of, endpoints_of, positions_of, transport_of
from edge_client.clock import Clock
from edge_client.config import EdgeSettings
from edge_client.counters import Counters
from edge_client.drive import Drive
from edge_client.errors import DashcamError
from edge_client.recording.button import LockButton
from edge_client.recording.setup import DriveRecording
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import APIS, REPORT
from edge_client.sources.open import open_source
from edge_client.types import Display, FrameSource, LiveStatus, ReadStore, Summary

_LOG = logging.getLogger(__name__)
_RECORDING_END_S = 3.0


def run_drive(
    settings: EdgeSettings,
    source: str | FrameSource,
    displays: Sequence[Display],
    store: ReadStore,
    stop: threading.Event,
    *,
    on_status: Callable[[LiveStatus], None] | None = None,
    lock_button: LockButton | None = None,
    spool: Path | None = None,
) -> Summary:
    """Play the source to its end, or until ``stop`` is set, and return the counters.

    ``source`` is a video file, a folder of pictures, an rtsp:// or http(s):// URL, or a V4L2 device
    (``/dev/video0`` or its number), or a source that is open already. ``on_status`` is called about twice a
    second, from this thread, and must not block. ``lock_button`` locks the recording of the original video
    meanwhile. ``spool`` is the folder of evidence that is read later; without one nothing is kept. A live source is
    shown and recorded at once, also while APIs of this device are still starting; a recording waits for them. The
    source, the displays and the store are closed before this returns or raises.

    Raises a `DashcamError` whose message is one line; its ``summary`` holds the counters if the drive had
    begun. Degradations are counted, and logged as warnings below the logger ``edge_client``.
    """
    with ExitStack() as stack:
        stack.callback(store.close)
        for display in displays:
            stack.callback(display.close)
        key = api_key_of(settings.apis)
        frames = open_source(source, settings.source) if isinstance(source, str) else source
        stack.callback(frames.close)
        uid = uuid.uuid4().hex
        clock = Clock(uid)
        positions = positions_of(settings, clock.observe)
        stack.callback(positions.close)
        vehicles = settings.vehicles.enabled
        counters = Counters((*APIS, REPORT) if vehicles else APIS)
        endpoints = endpoints_of(settings.apis, stop, stack, wait=not frames.live, vehicles=vehicles)
        if endpoints is None:
            return counters.summary()
        full = settings.source.rate == "full" and not frames.live
        if settings.source.rate == "full" and frames.live:
            _LOG.warning("a live source cannot wait: it is played in real time")
        transport = transport_of(settings, key)
        adaptation = Adaptation(settings, active=settings.pool.adaptive and not full)
        apis = apis_of(settings, endpoints, transport, counters, adaptation, stack, patient=full)
        recording = DriveRecording(settings, uid, frames, lock_button)
        stack.callback(recording.close, _RECORDING_END_S)
        drive = Drive(
            uid, settings, frames, positions, clock, recording, apis, adaptation, counters, full=full, spool=spool
        )
        try:
            drive.run(displays, store, stop, on_status)
        except DashcamError as error:
            error.summary = counters.summary()
            raise
        return counters.summary()
