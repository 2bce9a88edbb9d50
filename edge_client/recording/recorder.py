"""Records the original video: takes frames or packets in, cuts them into segments, hands these to the disk."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2

from edge_client.config.recording import RecordingSettings
from edge_client.recording.cutting import Cutter
from edge_client.recording.disk import Disk
from edge_client.recording.encoder import H264Encoder
from edge_client.recording.silence import Silence
from edge_client.recording.stock import GB, Limits
from edge_client.recording.track import Moment
from edge_client.sources.encoded import EncodedPacket
from edge_client.types import Frame, Image, RecordingState, RecordingStatus

_LOG = logging.getLogger(__name__)
_QUEUE_BYTES = 32 * 2**20
_FEWEST = 4
_QUEUED_PACKETS_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class _Picture:
    image: Image
    moment: Moment


@dataclass(frozen=True, slots=True)
class _Lock:
    reason: str
    monotonic_s: float


class SegmentRecorder:
    """Records what is put into it, on threads of its own; nothing that is called here waits for anything.

    ``put`` and ``put_packet`` come from one thread each; ``lock`` and ``status`` from any, also from a signal
    handler. What cannot be kept is counted, and a disk that fails is tried again with growing pauses.
    """

    def __init__(
        self,
        settings: RecordingSettings,
        folder: Path,
        drive_uid: str,
        frame_rate_hz: float,
        *,
        live: bool = True,
        encoded: bool = False,
        encoder_failure: Callable[[], str] = str,
    ) -> None:
        """Starts; the folder is made if need be, and what is wrong with it shows in `status`.

        Args:
            settings: lengths, sizes and quality.
            folder: where the segments go.
            drive_uid: the drive's uid, which each segment states.
            frame_rate_hz: of the source, nominal for live ones.
            live: times are those of capture; without it frames are one period apart.
            encoded: the video comes as packets (`put_packet`), and frames only tell time and place.
            encoder_failure: why no packets are to be expected, empty while all is well.
        """
        self._settings = settings
        self._encoded = encoded
        self._live = live
        self._rate_hz = frame_rate_hz if frame_rate_hz > 0 else 25.0
        limits = Limits(round(settings.max_gb * GB), round(settings.reserve_gb * GB), settings.keep_days)
        self._disk = Disk(folder, limits, settings.sync_s)
        self._cutter = Cutter(self._disk, settings, drive_uid)
        self._silence = Silence(encoder_failure)
        self._silent = ""
        self._encoder: H264Encoder | None = None
        self._due_s = float("-inf")
        self._inbox: queue.SimpleQueue[_Picture | Moment | EncodedPacket | _Lock | None] = queue.SimpleQueue()
        self._queued_bytes = 0
        self._counting = threading.Lock()
        self._refused = 0  # counted by the threads that put
        self._crash = ""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def put(self, frame: Frame) -> None:
        """Takes a frame, or counts it as lost when too many wait already."""
        time_s = frame.captured_monotonic_s if self._live else frame.number / self._rate_hz
        moment = Moment(time_s, frame.captured_utc, frame.utc_source, frame.fix, frame.fix_age_s)
        if self._encoded:
            if not (self._closed or self._crash):  # nobody would take it
                self._inbox.put(moment)
            return
        # A picture's place in the queue is worth its bytes, within limits.
        limit = max(_QUEUE_BYTES, _FEWEST * frame.image.nbytes)
        if self._reserve(frame.image.nbytes, limit):
            self._inbox.put(_Picture(frame.image, moment))

    def put_packet(self, packet: EncodedPacket) -> None:
        """Takes a packet of the camera's own video, or counts it as lost."""
        if self._reserve(len(packet.data), _QUEUED_PACKETS_BYTES):
            self._inbox.put(packet)

    def lock(self, reason: str) -> None:
        """Keeps the segment of this moment for good, and those within ``lock_around_s`` of it."""
        self._inbox.put(_Lock(reason, time.monotonic()))

    @property
    def waiting(self) -> int:
        """What has been put in and not been worked on."""
        return self._inbox.qsize()

    def status(self) -> RecordingStatus:
        """Where the recording stands."""
        cutter = self._cutter
        failure = self._crash or self._disk.crash or cutter.failure
        segment = cutter.segment
        state = RecordingState.RECORDING
        if failure:
            state = RecordingState.FAILED
        elif segment is not None and segment.locked:
            state = RecordingState.LOCKED
        name = segment.name if segment is not None else None
        return RecordingStatus(
            state,
            name.stem if name is not None else "",
            self._disk.kept_bytes,
            self._lost_frames(),
            failure,
        )

    def close(self, timeout_s: float) -> None:
        """Ends the segment and returns when all is on the disk, or when the time is over."""
        if self._closed:
            return
        self._closed = True
        end_s = time.monotonic() + timeout_s
        self._inbox.put(None)
        self._thread.join(timeout_s)
        written = self._disk.close(max(end_s - time.monotonic(), 0.0))
        if self._thread.is_alive() or not written:
            _LOG.warning("the recording does not end in time: its last seconds may be missing")
        lost = self._lost_frames()
        if lost:
            _LOG.warning("the recording lacks %d frames", lost)

    def _lost_frames(self) -> int:
        return self._refused + self._cutter.lost_frames + self._disk.lost_frames

    def _reserve(self, size_bytes: int, limit_bytes: int) -> bool:
        if self._closed or self._crash:
            self._refused += 1
            return False
        with self._counting:
            fits = self._queued_bytes + size_bytes <= limit_bytes
            if fits:
                self._queued_bytes += size_bytes
        if not fits:
            self._refused += 1
        return fits

    def _free(self, size_bytes: int) -> None:
        with self._counting:
            self._queued_bytes -= size_bytes

    def _run(self) -> None:
        try:
            while (item := self._inbox.get()) is not None:
                match item:
                    case _Picture():
                        try:
                            self._record(item)
                        finally:
                            self._free(item.image.nbytes)
                    case EncodedPacket():
                        self._free(len(item.data))
                        self._silence.packet()
                        self._cutter.add(item)
                    case Moment():
                        self._cutter.tell(item)
                        self._watch(item)
                    case _Lock():
                        self._cutter.lock(item.reason, item.monotonic_s)
            self._cutter.close()
        except BaseException as error:
            self._crash = f"the recording crashed: {error}"
            raise

    def _watch(self, moment: Moment) -> None:
        """A camera whose own video fails shows pictures that nobody records."""
        before, self._silent = self._silent, self._silence.picture(moment.monotonic_s)
        if self._silent:
            self._cutter.lost_frames += 1
            if self._silent != before:
                self._cutter.fail(self._silent)

    def _record(self, picture: _Picture) -> None:
        time_s = picture.moment.monotonic_s
        self._cutter.tell(picture.moment)
        period_s = 1 / self._settings.max_rate_hz
        if time_s < self._due_s - period_s / 2:  # cameras are not punctual
            return
        if not self._cutter.wants():
            self._cutter.lost_frames += 1
            return
        self._due_s = max(self._due_s, time_s) + period_s
        try:
            if self._encoder is None or not self._encoder.fits(picture.image):
                self._encoder = H264Encoder(picture.image, self._rate_hz, self._settings)
            if self._cutter.needs_key_frame:
                self._encoder.force_key_frame()
            packets = self._encoder.encode(picture.image, time_s)
        except (av.FFmpegError, cv2.error, ValueError) as error:
            self._encoder = None
            self._cutter.lost_frames += 1
            self._cutter.fail(f"the encoder failed: {error}")
            return
        for packet in packets:
            self._cutter.add(packet)
