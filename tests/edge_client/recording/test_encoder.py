from __future__ import annotations

import pytest

from edge_client.recording.encoder import H264Encoder
from tests.edge_client.recording.samples import picture, settings


def test_each_picture_comes_out_at_once_with_a_key_frame_every_second_of_time() -> None:
    """By time, not by count: this camera states 30 frames a second and gives 10."""
    encoder = H264Encoder(picture(), 30.0, settings())
    keys = []
    for n in range(35):
        (packet,) = encoder.encode(picture(n), 7.0 + n / 10)
        assert packet.monotonic_s == 7.0 + n / 10
        if packet.keyframe:
            keys.append(n)
    assert keys == [0, 10, 20, 30]


def test_a_key_frame_can_be_asked_for_and_brings_its_parameter_sets() -> None:
    encoder = H264Encoder(picture(), 30.0, settings())
    encoder.encode(picture(), 0.0)
    assert not encoder.encode(picture(), 0.03)[0].keyframe
    encoder.force_key_frame()
    packet = encoder.encode(picture(), 0.06)[0]
    assert packet.keyframe
    kinds = [packet.data[at + 3] & 31 for at in range(len(packet.data) - 3) if packet.data[at : at + 3] == b"\0\0\1"]
    assert {5, 7, 8} <= set(kinds)  # ITU-T H.264 table 7-1: IDR slice, SPS, PPS


@pytest.mark.parametrize("size", [(64, 36), (65, 37), (1281, 721), (2, 2)])
def test_odd_sizes_lose_a_pixel(size: tuple[int, int]) -> None:
    width, height = size
    encoder = H264Encoder(picture(0, width, height), 30.0, settings())
    assert encoder.fits(picture(1, width, height))
    assert not encoder.fits(picture(1, width + 2, height))
    assert (encoder.video_format.width_px, encoder.video_format.height_px) == (width // 2 * 2, height // 2 * 2)
    assert encoder.encode(picture(0, width, height), 0.0)[0].keyframe
