"""Hands the packets of a camera that encodes by itself to whoever subscribed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_client.sources.encoded import EncodedPacket, PacketCallback

_START_CODE = b"\x00\x00\x01"
_PARAMETER_SETS = (7, 8)  # SPS, PPS: ITU-T H.264, table 7-1


def nal_units(annex_b: bytes) -> list[bytes]:
    """The NAL units of an H.264 byte stream without their start codes (ITU-T H.264, annex B)."""
    parts = annex_b.split(_START_CODE)[1:]
    # Zeros before a start code belong to it, or are padding: a NAL unit never ends in one.
    return [unit for part in parts if (unit := part.rstrip(b"\x00"))]


def parameter_sets(annex_b: bytes) -> bytes:
    """The parameter sets (SPS and PPS) in an H.264 byte stream, in Annex B form, each once; empty if it has none."""
    units = [unit for unit in nal_units(annex_b) if unit[0] & 0x1F in _PARAMETER_SETS]
    return b"".join(b"\x00" + _START_CODE + unit for unit in dict.fromkeys(units))


@dataclass(slots=True, eq=False)
class _Subscriber:
    callback: PacketCallback
    running: bool = False  # it has got its first key frame


class PacketHub:
    """An `EncodedStream`: outlives the restarts of the camera whose packets it hands out.

    ``failed`` is for the camera to remember that its encoder failed, until the next packet; ``failure`` for it to say
    why it has given its encoder up, until then too.
    """

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._subscribers: list[_Subscriber] = []
        self._lock = threading.Lock()
        self._published_s = time.monotonic()
        self.failed = False
        self.failure = ""

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        return self._codec

    @property
    def wanted(self) -> bool:
        """Whether anybody takes packets: if not, nothing needs to be encoded."""
        return bool(self._subscribers)

    @property
    def published_s(self) -> float:
        """When the last packet came, or the encoder began, on the clock of `time.monotonic`."""
        return self._published_s

    def subscribe(self, callback: PacketCallback) -> Callable[[], None]:
        """Call ``callback`` with each packet from the next key frame on; what is returned ends that."""
        subscriber = _Subscriber(callback)
        with self._lock:
            self._subscribers = [*self._subscribers, subscriber]

        def end() -> None:
            with self._lock:
                self._subscribers = [other for other in self._subscribers if other is not subscriber]

        return end

    def restart(self) -> None:
        """The encoder begins anew: everybody waits for its first key frame."""
        self._published_s = time.monotonic()
        for subscriber in self._subscribers:
            subscriber.running = False

    def publish(self, packet: EncodedPacket) -> None:
        """Hand a packet out, in the thread of the caller."""
        self._published_s = time.monotonic()
        self.failed = False
        self.failure = ""
        for subscriber in self._subscribers:
            subscriber.running = subscriber.running or packet.keyframe
            if subscriber.running:
                subscriber.callback(packet)
