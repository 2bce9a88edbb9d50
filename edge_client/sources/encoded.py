"""Video that a camera has encoded already: packets that a recording can keep as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a decoder must know. ``codec`` is FFmpeg's name (``"h264"``).

    For H.264, ``extradata`` holds the parameter sets (SPS and PPS) in Annex B form, start codes included
    (ITU-T H.264, annex B). ``frame_rate_hz`` is what the camera was asked for; times of packets tell the truth.
    """

    codec: str
    width_px: int
    height_px: int
    frame_rate_hz: float
    extradata: bytes = b""


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One encoded picture in coding order, without reordering (no B frames), so that it has one time only.

    ``data`` is Annex B for H.264; a key frame brings its parameter sets along. ``monotonic_s`` is the capture
    time on the clock of `time.monotonic`, as `Frame.captured_monotonic_s`. ``video_format`` is another one when the
    camera came back with another size: from that packet on, which is a key frame, a new file is needed.
    """

    data: bytes
    monotonic_s: float
    keyframe: bool
    video_format: VideoFormat


PacketCallback = Callable[[EncodedPacket], None]


class EncodedStream(Protocol):
    """Hands out the packets of a source, over all its restarts."""

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec, known before the first packet."""

    @property
    def failure(self) -> str:
        """Why no packets come any more although pictures do; empty while all is well. From any thread."""

    def subscribe(self, callback: PacketCallback) -> Callable[[], None]:
        """Call ``callback`` with each packet from the next key frame on; what is returned ends that.

        It is called from the camera's own thread, must be quick (put the packet into a queue) and must not
        raise. After a restart of the camera the first packet is a key frame again. Ending it waits for nothing:
        a call that is under way may still come to its end.
        """


@runtime_checkable
class EncodedVideo(Protocol):
    """A source that may have encoded packets of its own, besides the pictures that iterating yields.

    Whoever wants them asks ``isinstance(source, EncodedVideo)`` and then `encoded`.
    """

    def encoded(self) -> EncodedStream | None:
        """The packets, None where the camera only gives pictures; may be asked before the first picture."""
