"""What is sent of a frame: the reduced grey picture for the detector, and crops for the reader."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg

from cloud_apis.contract import PlateBox
from edge_client.config import DetectionSettings, ReadingSettings
from edge_client.types import Image

_EDGE = 0.006
"""Part of the frame's width: about two pixels of the detector's input."""
_MUCH = 2.5


@dataclass(frozen=True, slots=True)
class ReducedFrame:
    """A grey JPEG and the factors that bring its pixels back to the frame's."""

    jpeg: bytes
    x_factor: float
    y_factor: float


def reduce_frame(image: Image, settings: DetectionSettings, jpeg_quality: int | None = None) -> ReducedFrame:
    """The frame in grey, at most as wide as set, its upper part blackened where set.

    ``jpeg_quality`` goes before the settings'.

    Grey first, then the average: a third of the work of the other order.
    """
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    new_width = min(settings.yolov3_input_size_px, width)
    new_height = max(round(height * new_width / width), 1)
    if new_width < width:
        grey = _reduced(np.asarray(grey, np.uint8), new_width, new_height)
    masked = round(new_height * settings.masked_upper_part)
    if masked > 0:
        grey[:masked] = 0
    jpeg = _encode_grey(np.asarray(grey, np.uint8), jpeg_quality or settings.yolov3_jpeg_quality)
    return ReducedFrame(jpeg, width / new_width, height / new_height)


def _reduced(grey: Image, width: int, height: int) -> Image:
    """The area average. From `_MUCH` on it is taken of so many whole pixels, and then linearly between them: within
    half a grey level of the exact one in a fifth of the time.
    """
    factor = grey.shape[1] / width
    if factor < _MUCH:
        return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    side = 2 * int(factor / 2) + 1
    return np.asarray(
        cv2.resize(cv2.blur(grey, (side, side)), (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
    )


def frame_boxes(
    boxes: Iterable[PlateBox], reduced: ReducedFrame, image: Image, min_score: float
) -> tuple[PlateBox, ...]:
    """Boxes of the reduced picture in pixels of the frame, clipped to it; weak and empty ones are left out."""
    height, width = image.shape[:2]
    kept = []
    for box in boxes:
        xmin = min(max(box.xmin * reduced.x_factor, 0.0), width)
        xmax = min(max(box.xmax * reduced.x_factor, 0.0), width)
        ymin = min(max(box.ymin * reduced.y_factor, 0.0), height)
        ymax = min(max(box.ymax * reduced.y_factor, 0.0), height)
        if box.score >= min_score and xmax - xmin >= 1 and ymax - ymin >= 1:
            kept.append(PlateBox(xmin, ymin, xmax, ymax, box.objectness, box.class_scores))
    return tuple(kept)


def cut_crop(image: Image, box: PlateBox, margin: float, margin_y: float | None = None) -> Image:
    """The box's part of the frame with a margin around it, as a view.

    The margin is a part of the box's size; ``margin_y`` is that of its height, where it differs.
    """
    height, width = image.shape[:2]
    dx, dy = (box.xmax - box.xmin) * margin, (box.ymax - box.ymin) * (margin if margin_y is None else margin_y)
    left, top = max(math.floor(box.xmin - dx), 0), max(math.floor(box.ymin - dy), 0)
    right, bottom = min(math.ceil(box.xmax + dx), width), min(math.ceil(box.ymax + dy), height)
    return image[top:bottom, left:right]


def touches_edge(box: PlateBox, image: Image) -> bool:
    """Whether the frame's edge may cut the plate: the box ends within what the detector errs by."""
    height, width = image.shape[:2]
    near = _EDGE * float(width)
    return box.xmin < near or box.ymin < near or box.xmax > width - near or box.ymax > height - near


def sharpness(crop: Image) -> float:
    """Variance of the Laplacian of the crop in grey: the larger, the sharper."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def encode_crop(crop: Image, settings: ReadingSettings) -> bytes:
    """The crop as a colour JPEG."""
    return bytes(
        simplejpeg.encode_jpeg(np.ascontiguousarray(crop), quality=settings.crnn_jpeg_quality, colorspace="BGR")
    )


def _encode_grey(grey: Image, quality: int) -> bytes:
    return bytes(
        simplejpeg.encode_jpeg(grey[:, :, np.newaxis], quality=quality, colorspace="GRAY", colorsubsampling="Gray")
    )
