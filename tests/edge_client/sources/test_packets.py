"""Packets of a camera's own video: parameter sets, and who gets what."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.sources.encoded import EncodedPacket, VideoFormat
from edge_client.sources.packets import PacketHub, nal_units, parameter_sets

FORMAT = VideoFormat("h264", 64, 48, 30.0)


def packet(number: int, *, keyframe: bool = False) -> EncodedPacket:
    return EncodedPacket(b"%d" % number, number / 30, keyframe, FORMAT)


@pytest.fixture(scope="module")
def encoded() -> list[bytes]:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = 64, 48, "yuv420p", Fraction(1, 30)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency"}
    packets = []
    for number in range(5):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * number, np.uint8), format="bgr24")
        frame.pts = number
        packets += [bytes(p) for p in codec.encode(frame)]
    return packets


def test_parameter_sets_of_a_key_frame_are_all_that_a_decoder_needs_beforehand(encoded: list[bytes]) -> None:
    sets = parameter_sets(encoded[0])
    assert [unit[0] & 0x1F for unit in nal_units(sets)] == [7, 8]
    pictures = b"".join(b"\0\0\0\1" + unit for unit in nal_units(encoded[0]) if unit[0] & 0x1F == 5)
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = sets
    frames = decoder.decode(av.Packet(pictures)) + decoder.decode(None)
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)]
    assert parameter_sets(encoded[1]) == b""
    assert parameter_sets(sets + encoded[0]) == sets  # cameras repeat them as they like


@given(st.binary(max_size=200))
def test_any_bytes_have_parameter_sets_or_none(data: bytes) -> None:
    sets = parameter_sets(data)
    assert parameter_sets(sets) == sets
    assert all(unit and unit[-1] for unit in nal_units(data))


def test_everybody_begins_at_a_key_frame_and_again_after_a_restart() -> None:
    hub = PacketHub("h264")
    early: list[bytes] = []
    late: list[bytes] = []
    wanted_by_nobody = hub.wanted
    hub.subscribe(lambda p: early.append(p.data))
    assert (wanted_by_nobody, hub.wanted) == (False, True)
    for number in range(4):
        hub.publish(packet(number, keyframe=number == 2))
    hub.subscribe(lambda p: late.append(p.data))
    hub.publish(packet(4))
    hub.publish(packet(5, keyframe=True))
    assert (early, late) == ([b"2", b"3", b"4", b"5"], [b"5"])
    hub.restart()
    hub.publish(packet(6))
    hub.publish(packet(7, keyframe=True))
    assert (early[4:], late[1:]) == ([b"7"], [b"7"])


def test_who_ends_gets_no_more_even_out_of_its_own_call() -> None:
    hub = PacketHub("h264")
    seen: list[bytes] = []

    def once(p: EncodedPacket) -> None:
        seen.append(p.data)
        end()

    end = hub.subscribe(once)
    others: list[bytes] = []
    hub.subscribe(lambda p: others.append(p.data))
    for number in range(3):
        hub.publish(packet(number, keyframe=True))
    end()
    assert seen == [b"0"]
    assert others == [b"0", b"1", b"2"]
    assert hub.wanted


def test_a_packet_ends_a_failure() -> None:
    hub = PacketHub("h264")
    hub.failed, hub.failure = True, "its encoder fails"
    hub.publish(packet(0))
    assert (hub.failed, hub.failure) == (False, "")
