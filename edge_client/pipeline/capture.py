"""Takes pictures from the source and makes frames of them: number, capture time and position come first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from edge_client.counters import Counters
from edge_client.errors import SourceError
from edge_client.pipeline.events import Captured, CaptureEnded, Crashed, Event
from edge_client.pipeline.pacing import Pacing
from edge_client.pipeline.room import Room
from edge_client.sources.device import TimedSource
from edge_client.types import Frame, FrameSource, PositionSource, UtcSource

_FRAMES_BYTES = 72 * 2**20
"""What all frames between capture and displays may hold; the source waits while it is used up."""
_FEWEST_FRAMES = 4


class Capture:
    """The thread that reads the source. ``deliver`` gets each frame, and the end.

    ``utc`` tells the time at a moment of the monotonic clock, unless the source of positions knows the recording's.
    """

    def __init__(
        self,
        source: FrameSource,
        positions: PositionSource,
        counters: Counters,
        room: Room,
        deliver: Callable[[Event], None],
        *,
        utc: Callable[[float], tuple[datetime, UtcSource]],
        paced: bool,
        skipped: int,
    ) -> None:
        self._source = source
        self._positions = positions
        self._counters = counters
        self._room = room
        self._deliver = deliver
        self._utc = utc
        self._stop = threading.Event()
        self._pacing = Pacing(source.frame_rate_hz) if paced else None
        self._skipped = 0 if source.live else skipped
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end soon: a source that has no picture to give is closed amid its wait."""
        self._stop.set()
        self._room.close()
        self._source.close()

    def join(self, timeout_s: float) -> None:
        """Wait for its end; a source that blocks is left to itself after the timeout."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._take_all()
        except SourceError as error:
            self._deliver(CaptureEnded(error))
        except BaseException as error:
            self._deliver(Crashed(error))
            raise
        else:
            self._deliver(CaptureEnded())
        finally:
            self._source.close()

    def _take_all(self) -> None:
        start_s = time.monotonic()
        timed = self._source if self._source.live and isinstance(self._source, TimedSource) else None
        frame_bytes = 0
        for index, image in enumerate(self._source):
            if image.nbytes != frame_bytes:  # a camera may come back with another size
                frame_bytes = image.nbytes
                self._room.limit(max(_FRAMES_BYTES // frame_bytes, _FEWEST_FRAMES))
            if not self._room.enter() or (self._pacing is not None and not self._pacing.wait(index, self._stop)):
                return
            now_s = time.monotonic() if timed is None else timed.picture_monotonic_s
            number = self._counters.captured()
            recorded_s = (number + self._skipped) / self._source.frame_rate_hz
            media_s = max(now_s - start_s, 0.0) if self._source.live else recorded_s
            fix = self._positions.at(media_s, now_s)
            recorded_utc = self._positions.utc_at(media_s)
            utc, utc_source = self._utc(now_s) if recorded_utc is None else (recorded_utc, UtcSource.RECORDING)
            frame = Frame(
                number,
                image,
                now_s,
                utc,
                fix,
                max(now_s - fix.monotonic_s, 0.0) if fix is not None else None,
                utc_source,
            )
            self._deliver(Captured(frame, media_s))
