"""Cuts a stream of packets into segments, and begins anew, after a pause, when one fails."""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import av

from edge_client.config.recording import RecordingSettings
from edge_client.recording.disk import Disk, Segment
from edge_client.recording.fragments import Mp4Fragments
from edge_client.recording.track import End, Head, Moment, Point, line_of
from edge_client.sources.encoded import EncodedPacket
from edge_client.types import UtcSource

_LOG = logging.getLogger(__name__)
_POINT_EVERY_S = 0.2
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0
_TOLERANCE_S = 0.005
_LATE_LOCK_S = 10.0
"""A lock comes here at most so long after its moment."""


class _Open:
    """The segment that is being written: its muxer, and what has not been handed to the disk."""

    def __init__(self, segment: Segment, fragments: Mp4Fragments, packet: EncodedPacket, begun_at_s: float) -> None:
        self.segment = segment
        self.fragments = fragments
        self.begun_at_s = begun_at_s
        self.video_format = packet.video_format
        self.start_s = packet.monotonic_s
        self.last_s = packet.monotonic_s
        self.frames = 0
        self.written_s = 0.0
        self.unwritten = 0
        self.lines = ""
        self._point_due_s = float("-inf")

    def note(self, moment: Moment) -> None:
        """Adds a point to the track, if it is time for one."""
        if moment.monotonic_s >= max(self._point_due_s, self.start_s):
            self._point_due_s = moment.monotonic_s + _POINT_EVERY_S - _TOLERANCE_S
            self.lines += line_of(Point.of(moment, self.start_s))

    def end(self, why: str) -> End:
        """What its last line says, once all has been handed to the disk."""
        last_frame_s = 1 / max(self.video_format.frame_rate_hz, 1.0)
        return End(self.last_s - self.start_s + last_frame_s, self.frames, why)

    def early_end(self, why: str) -> End:
        """The same when the rest never gets there."""
        return End(self.written_s, self.frames - self.unwritten, why)


class Cutter:
    """Holds the segment that is open. All calls come from one thread; the attributes may be read from any.

    ``failure`` says why nothing is recorded at the moment, "" while all is well; ``lost_frames`` counts those
    that came here and are in no segment.
    """

    def __init__(
        self,
        disk: Disk,
        settings: RecordingSettings,
        drive_uid: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` times pauses and locks."""
        self._disk = disk
        self._settings = settings
        self._drive_uid = drive_uid
        self._clock = clock
        self._open: _Open | None = None
        self._ended: deque[tuple[Segment, float]] = deque()  # with the times of their ends, as far as a lock reaches
        self._lock_until_s = float("-inf")
        self._lock_reason = ""
        self._moment: Moment | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._retry_at_s = float("-inf")
        self._skipping = False
        self.failure = ""
        self.lost_frames = 0

    @property
    def segment(self) -> Segment | None:
        """The segment that is being written, None between two attempts."""
        opened = self._open
        return opened.segment if opened is not None else None

    @property
    def needs_key_frame(self) -> bool:
        """Whether the next packet begins a segment."""
        return self._open is None or self._skipping

    def wants(self) -> bool:
        """Whether a frame would be kept now; it is not worth encoding otherwise."""
        self._check()
        return self._disk.has_room() and (self._open is not None or self._clock() >= self._retry_at_s)

    def tell(self, moment: Moment) -> None:
        """Time and place of the newest frame."""
        self._moment = moment

    def add(self, packet: EncodedPacket) -> None:
        """Puts a packet into the segment that is open, or into a new one."""
        self._check()
        opened = self._open
        if opened is not None and packet.keyframe:
            if packet.video_format != opened.video_format:
                self._end("format")
            elif packet.monotonic_s - opened.start_s >= self._settings.segment_s - _TOLERANCE_S:
                self._end("length")
        # A gap can only be followed by a key frame.
        self._skipping = not self.wants() or (self.needs_key_frame and not packet.keyframe)
        if self._skipping:
            self.lost_frames += 1
            return
        try:
            self._write(self._open or self._begin(packet), packet)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.lost_frames += 1
            self.fail(f"the video cannot be written: {error}")

    def lock(self, reason: str, at_s: float) -> None:
        """Keeps the segment that is open, and those within ``lock_around_s``, before and after."""
        around_s = self._settings.lock_around_s
        self._lock_until_s, self._lock_reason = at_s + around_s, reason
        until_s = float("-inf")
        if self._open is not None:
            self._disk.lock(self._open.segment, reason)
            until_s = self._open.begun_at_s  # up to there the last one counts, also after a pause
        for segment, ended_at_s in reversed(self._ended):
            if at_s - max(ended_at_s, until_s) <= around_s:
                self._disk.lock(segment, reason)
            until_s = float("-inf")

    def fail(self, reason: str) -> None:
        """Ends the segment, if there is one, and lets a pause begin."""
        if reason != self.failure:
            _LOG.info("nothing is recorded: %s; tried again", reason)  # the status warns
        self.failure = reason
        if self._open is not None:
            self.lost_frames += self._open.unwritten
            self._disk.end(self._open.segment, self._open.early_end(reason))
            self._close_open()
        self._retry_at_s = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """The end of the drive."""
        self._check()
        if self._open is not None:
            self._end("end")

    def _check(self) -> None:
        """Sees what became of what the disk was given."""
        if self._open is None:
            return
        segment = self._open.segment
        if segment.failure is not None:
            self.fail(segment.failure)
        elif self.failure and segment.durable:
            _LOG.info("the recording goes on")
            self.failure = ""
            self._pause_s = _FIRST_PAUSE_S

    def _begin(self, packet: EncodedPacket) -> _Open:
        video = packet.video_format
        utc, source = self._utc_of(packet)
        head = Head(
            self._drive_uid,
            utc,
            source,
            packet.monotonic_s,
            video.width_px,
            video.height_px,
            video.frame_rate_hz,
            video.codec,
            _slept_s(),
        )
        now_s = self._clock()
        fragments = Mp4Fragments(video, packet.monotonic_s)
        self._open = _Open(self._disk.begin(head), fragments, packet, now_s)
        if now_s <= self._lock_until_s:
            self._disk.lock(self._open.segment, self._lock_reason)
        return self._open

    def _write(self, opened: _Open, packet: EncodedPacket) -> None:
        if self._moment is not None:
            opened.note(self._moment)
        data = opened.fragments.add(packet)
        if data:  # all that came before this packet
            self._disk.append(opened.segment, data, opened.unwritten, opened.lines)
            opened.unwritten, opened.lines = 0, ""
            opened.written_s = packet.monotonic_s - opened.start_s
        opened.unwritten += 1
        opened.frames += 1
        opened.last_s = packet.monotonic_s

    def _end(self, why: str) -> None:
        opened = self._open
        if opened is None:
            return
        try:
            data = opened.fragments.finish()
        except (av.FFmpegError, OSError, ValueError) as error:
            self.fail(f"the video cannot be ended: {error}")
            return
        self._disk.append(opened.segment, data, opened.unwritten, opened.lines)
        self._disk.end(opened.segment, opened.end(why))
        self._close_open()

    def _close_open(self) -> None:
        if self._open is not None:
            now_s = self._clock()
            while self._ended and now_s - self._ended[0][1] > self._settings.lock_around_s + _LATE_LOCK_S:
                self._ended.popleft()
            self._ended.append((self._open.segment, now_s))
            self._open = None

    def _utc_of(self, packet: EncodedPacket) -> tuple[datetime, UtcSource]:
        moment = self._moment
        if moment is None:
            return datetime.now(UTC), UtcSource.SYSTEM
        return moment.utc + timedelta(seconds=packet.monotonic_s - moment.monotonic_s), moment.utc_source


def _slept_s() -> float:
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
