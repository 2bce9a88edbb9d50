from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg

from cloud_apis.contract import PlateBox
from edge_client.config import DetectionSettings, ReadingSettings
from edge_client.imaging import cut_crop, encode_crop, frame_boxes, reduce_frame, sharpness, touches_edge
from edge_client.types import Image


def checkered(height: int = 720, width: int = 1280) -> Image:
    y, x = np.mgrid[:height, :width]
    grey = (((x // 80 + y // 80) % 2) * 200).astype(np.uint8)
    return np.dstack([grey, grey, grey])


def test_a_frame_is_reduced_to_a_grey_jpeg() -> None:
    reduced = reduce_frame(checkered(), DetectionSettings())
    assert simplejpeg.decode_jpeg_header(reduced.jpeg)[:3] == (234, 416, "Gray")
    assert (reduced.x_factor, reduced.y_factor) == pytest.approx((1280 / 416, 720 / 234))
    decoded = simplejpeg.decode_jpeg(reduced.jpeg, colorspace="GRAY")[:, :, 0]
    exact = cv2.resize(checkered()[:, :, 0], (416, 234), interpolation=cv2.INTER_AREA)
    assert np.abs(decoded.astype(int) - exact.astype(int)).mean() < 5


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (2592, 1944), (1000, 700), (640, 480)])
def test_a_reduced_frame_is_the_area_average(size: tuple[int, int]) -> None:
    width, height = size
    noise = np.random.default_rng(1).integers(0, 255, (height, width), np.uint8)
    grey = np.asarray(cv2.GaussianBlur(noise, (0, 0), width / 416), np.uint8)
    reduced = reduce_frame(np.dstack([grey] * 3), DetectionSettings(), 100)
    decoded = simplejpeg.decode_jpeg(reduced.jpeg, colorspace="GRAY")[:, :, 0].astype(int)
    exact = cv2.resize(grey, decoded.shape[::-1], interpolation=cv2.INTER_AREA).astype(int)
    assert np.sqrt(np.mean((decoded - exact) ** 2)) < 0.25 * exact.std()
    assert abs(float(np.mean(decoded - exact))) < 0.5


def test_a_small_frame_is_not_enlarged() -> None:
    reduced = reduce_frame(checkered(120, 160), DetectionSettings())
    assert simplejpeg.decode_jpeg_header(reduced.jpeg)[:2] == (120, 160)


def test_the_upper_part_is_masked_on_demand() -> None:
    settings = DetectionSettings(masked_upper_part=0.5)
    decoded = simplejpeg.decode_jpeg(reduce_frame(checkered(), settings).jpeg, colorspace="GRAY")
    assert decoded[:112].max() < 20
    assert decoded[125:].max() > 150


def test_boxes_come_back_to_the_frame_clipped_and_strong_enough() -> None:
    image = checkered()
    reduced = reduce_frame(image, DetectionSettings())
    boxes = [
        PlateBox(104.0, 117.0, 208.0, 128.7, 0.9, (1.0,)),
        PlateBox(-10.0, -10.0, 20.0, 20.0, 0.9, (1.0,)),
        PlateBox(500.0, 10.0, 600.0, 20.0, 0.9, (1.0,)),  # outside
        PlateBox(10.0, 10.0, 20.0, 20.0, 0.3, (1.0,)),  # weak
        PlateBox(30.0, 10.0, 20.0, 20.0, 0.9, (1.0,)),  # inside out
    ]
    first, second = frame_boxes(boxes, reduced, image, 0.4)
    assert (first.xmin, first.ymin, first.xmax, first.ymax) == pytest.approx((320, 360, 640, 396))
    assert (second.xmin, second.ymin) == (0, 0)


def test_a_crop_has_a_margin_and_stays_in_the_frame() -> None:
    image = checkered()
    assert cut_crop(image, PlateBox(100, 100, 200, 120, 1, (1.0,)), 0.1).shape == (24, 120, 3)
    assert cut_crop(image, PlateBox(0, 700, 100, 720, 1, (1.0,)), 0.1).shape == (22, 110, 3)
    assert cut_crop(image, PlateBox(100, 100, 200, 120, 1, (1.0,)), 0.25, 0.1).shape == (24, 150, 3)
    assert np.shares_memory(cut_crop(image, PlateBox(0, 0, 9, 9, 1, (1.0,)), 0.0), image)


@pytest.mark.parametrize(
    ("corners", "touches"),
    [
        ((100, 100, 200, 130), False),
        ((3, 100, 60, 130), True),
        ((1200, 100, 1278, 130), True),
        ((100, 700, 200, 720), True),
        ((100, 0, 200, 30), True),
    ],
)
def test_boxes_at_the_edge_may_be_cut(corners: tuple[float, float, float, float], touches: bool) -> None:
    assert touches_edge(PlateBox(*corners, 0.9, (1.0,)), np.zeros((720, 1280, 3), np.uint8)) is touches


def test_a_crop_is_encoded_in_colour_and_sharpness_tells_blur() -> None:
    crop = cut_crop(checkered(), PlateBox(40, 40, 200, 120, 1, (1.0,)), 0.1)
    jpeg = encode_crop(crop, ReadingSettings())
    assert simplejpeg.decode_jpeg(jpeg, colorspace="BGR").shape == crop.shape
    assert sharpness(crop) > 2 * sharpness(np.asarray(cv2.GaussianBlur(crop, (9, 9), 0), np.uint8))
