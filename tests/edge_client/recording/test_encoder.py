from __future__ import annotations

import av
import cv2
import numpy as np
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


@pytest.mark.parametrize("size", [(66, 38), (640, 360), (250, 130)])
def test_what_is_encoded_is_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    shown = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8), (0, 0), 9)
    shown[: height // 2, : width // 2] = (30, 200, 60)
    packets = H264Encoder(np.asarray(shown, np.uint8), 30.0, settings()).encode(np.asarray(shown, np.uint8), 0.0)
    (decoded,) = av.CodecContext.create("h264", "r").decode(av.Packet(packets[0].data)) or (None,)
    assert decoded is not None
    again = cv2.cvtColor(decoded.to_ndarray(format="yuv420p"), cv2.COLOR_YUV2BGR_I420)
    assert again.shape == shown.shape
    assert np.abs(again.astype(int) - shown.astype(int)).mean() < 4
