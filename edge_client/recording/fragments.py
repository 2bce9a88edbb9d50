"""Encoded packets as fragmented MP4 (ISO/IEC 14496-12, movie fragments): what is written plays, at every cut."""

from __future__ import annotations

from fractions import Fraction

import av

from edge_client.sources.encoded import EncodedPacket, VideoFormat

_TICKS = 90_000  # per second, as video has them
_FRAGMENT_S = 0.5
_STEP_TICKS = 90  # least distance of two frames


class Mp4Fragments:
    """Makes one file's bytes of the packets of one format, the first of which is a key frame.

    Bytes come out in whole fragments of about half a second: what is handed out plays without what follows.
    """

    def __init__(self, video: VideoFormat, start_s: float) -> None:
        """``start_s`` is the time of the first packet, which becomes 0.

        Raises:
            ValueError: MP4 does not know the codec.
        """
        self._start_s = start_s
        self._last_pts = -_STEP_TICKS
        self._ready = bytearray()
        self._container = av.open(
            self,
            "w",
            format="mp4",
            options={
                # The header comes with the first packet, as the parameter sets stand in there.
                "movflags": "frag_keyframe+empty_moov+delay_moov+default_base_moof",
                "frag_duration": str(round(_FRAGMENT_S * 1e6)),
            },
        )
        rate = Fraction(video.frame_rate_hz if video.frame_rate_hz > 0 else 25.0).limit_denominator(1001)
        self._period = max(round(_TICKS / rate), _STEP_TICKS)
        self._stream = self._container.add_mux_stream(
            video.codec, rate=rate, width=video.width_px, height=video.height_px
        )
        self._stream.time_base = Fraction(1, _TICKS)

    def write(self, data: bytes) -> int:
        """What the container calls with its output."""
        self._ready += data
        return len(data)

    def add(self, packet: EncodedPacket) -> bytes:
        """Adds a packet at its time; gives the bytes of the fragment that it ended, if it did."""
        pts = max(round((packet.monotonic_s - self._start_s) * _TICKS), self._last_pts + _STEP_TICKS)
        self._last_pts = pts
        muxed = av.Packet(packet.data)
        muxed.stream = self._stream
        muxed.time_base = Fraction(1, _TICKS)
        muxed.pts = muxed.dts = pts
        muxed.duration = self._period  # the last picture's; the others last until the next
        muxed.is_keyframe = packet.keyframe
        self._container.mux(muxed)
        return self._take()

    def finish(self) -> bytes:
        """The rest; nothing is added afterwards."""
        self._container.close()
        return self._take()

    def _take(self) -> bytes:
        ready = bytes(self._ready)
        self._ready.clear()
        return ready
