"""Builds the recording of a drive from the settings, and brings the drive's frames to it."""

from __future__ import annotations

from collections.abc import Callable

from edge_client.config import EdgeSettings
from edge_client.recording.button import LockButton
from edge_client.recording.location import default_recordings_folder
from edge_client.recording.recorder import SegmentRecorder
from edge_client.sources.encoded import EncodedStream, EncodedVideo
from edge_client.types import Frame, FrameSource, Image, RecordingState, RecordingStatus, ShownFrame


class DriveRecording:
    """The recording of one drive, if it is wanted: where its frames come from, and its end.

    Frames come straight from the capture, or from the camera as packets. Where plates are to be blurred in
    recordings, they come from the screen instead (`tap`), with its delay, as only then it is known where they are.
    """

    def __init__(
        self, settings: EdgeSettings, drive_uid: str, source: FrameSource, button: LockButton | None = None
    ) -> None:
        self._recorder: SegmentRecorder | None = None
        self._button = button
        self._unsubscribe: Callable[[], None] = lambda: None
        self._blurred = settings.privacy.blur in ("recorded", "both")
        recording = settings.recording
        if recording.when == "never" or (recording.when == "live" and not source.live):
            return
        packets = None if self._blurred else _packets_of(source)
        self._recorder = SegmentRecorder(
            recording,
            recording.folder or default_recordings_folder(),
            drive_uid,
            source.frame_rate_hz,
            live=source.live,
            encoded=packets is not None,
            encoder_failure=(lambda: packets.failure) if packets is not None else str,
        )
        if packets is not None:
            self._unsubscribe = packets.subscribe(self._recorder.put_packet)
        if button is not None:
            button.connect(self._recorder)

    @property
    def tap(self) -> Tap | None:
        """A display through which frames with blurred plates come; None where they come from the capture."""
        return Tap(self._recorder) if self._recorder is not None and self._blurred else None

    def captured(self, frame: Frame) -> None:
        """Takes each frame as it is captured; returns at once."""
        if self._recorder is not None and not self._blurred:
            self._recorder.put(frame)

    def status(self) -> RecordingStatus:
        """Where the recording stands."""
        return self._recorder.status() if self._recorder is not None else RecordingStatus(RecordingState.OFF)

    def close(self, timeout_s: float) -> None:
        """Brings everything to the disk, if it can be done in time. Calling it again does nothing."""
        if self._button is not None:
            self._button.connect(None)
        self._unsubscribe()
        if self._recorder is not None:
            self._recorder.close(timeout_s)


class Tap:
    """A display that hands what it is shown to the recorder."""

    name = "the recording of the original video"
    every_frame = True

    def __init__(self, recorder: SegmentRecorder) -> None:
        self._recorder = recorder

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        """Hands on the frame without what is drawn on it."""
        self._recorder.put(shown.frame)

    def closed_by_user(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """The recording has an end of its own."""


def _packets_of(source: FrameSource) -> EncodedStream | None:
    """The source's own H.264, if it has it."""
    stream = source.encoded() if isinstance(source, EncodedVideo) else None
    return stream if stream is not None and stream.codec == "h264" else None
