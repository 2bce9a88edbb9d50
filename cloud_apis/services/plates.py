"""Plates: what the workers of `/yolov3`, `/crnn` and `/license-plate-reader` do with a request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.annotate import annotate
from cloud_apis.contract import PlateBox, PlateRead, Word
from cloud_apis.contract.second_reading import WIDER, surer, unsure
from cloud_apis.images import decode_bgr, decode_grey, encode_jpeg, inspect
from cloud_apis.reader import Reader
from cloud_apis.yolov3.detector import Detector

# Room around a detected plate, in parts of its height: characters at its edge must not be cut.
_CROP_MARGIN = 0.15


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """An encoded picture in which plates are to be found and read, and drawn if `annotated`."""

    data: bytes
    annotated: bool


@dataclass(frozen=True, slots=True)
class PictureReads:
    """The plates of a picture, and the picture with them as JPEG if that was asked for."""

    plates: tuple[PlateRead, ...]
    jpeg: bytes | None = None


def read_crops(reader: Reader, crops: Sequence[bytes]) -> list[tuple[Word, ...]]:
    """Decode and read the crops of a request; raises `ApiError`."""
    return reader.read([decode_grey(crop, inspect(crop)) for crop in crops])


def read_picture(detector: Detector, reader: Reader, request: PictureRequest) -> PictureReads:
    """Find and read the plates of a picture, and draw them into it if that is asked for; raises `ApiError`."""
    picture = decode_bgr(request.data, inspect(request.data))
    plates = read_plates(detector, reader, grey_of(picture))
    return PictureReads(plates, encode_jpeg(annotate(picture, plates)) if request.annotated else None)


def grey_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A BGR picture, uint8 (height, width, 3), as grey, uint8 (height, width)."""
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def read_plates(detector: Detector, reader: Reader, grey: NDArray[np.uint8]) -> tuple[PlateRead, ...]:
    """Find and read the plates of a grey picture, uint8 (height, width); unsure ones are read twice."""
    boxes = detector.find(grey)
    margins = [_CROP_MARGIN * (box.ymax - box.ymin) for box in boxes]
    reads = _read(reader, grey, boxes, [(margin, margin) for margin in margins])
    again = unsure(reads)
    wider = [boxes[n] for n in again]
    rooms = [(WIDER[0] * (box.xmax - box.xmin), WIDER[1] * (box.ymax - box.ymin)) for box in wider]
    for number, words in zip(again, _read(reader, grey, wider, rooms), strict=True):
        reads[number] = surer(reads[number], words)
    return tuple(PlateRead(box, words) for box, words in zip(boxes, reads, strict=True))


def _read(
    reader: Reader, grey: NDArray[np.uint8], boxes: Sequence[PlateBox], rooms: Sequence[tuple[float, float]]
) -> list[tuple[Word, ...]]:
    """The words in each box, with so many pixels of room at its sides and above and below; corners in the picture."""
    if not boxes:
        return []
    places = [_crop_place(box, grey, *room) for box, room in zip(boxes, rooms, strict=True)]
    found = reader.read([grey[rows, columns] for rows, columns in places])
    return [
        tuple(_moved(word, columns.start, rows.start) for word in words)
        for words, (rows, columns) in zip(found, places, strict=True)
    ]


def _crop_place(box: PlateBox, grey: NDArray[np.uint8], room_x: float, room_y: float) -> tuple[slice, slice]:
    """Rows and columns of the box with some pixels of room around it, at least one pixel each."""
    height, width = grey.shape
    top = min(max(0, int(box.ymin - room_y)), height - 1)
    left = min(max(0, int(box.xmin - room_x)), width - 1)
    bottom = max(top + 1, math.ceil(box.ymax + room_y))
    right = max(left + 1, math.ceil(box.xmax + room_x))
    return slice(top, bottom), slice(left, right)


def _moved(word: Word, x: float, y: float) -> Word:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = word.quad
    quad = ((ax + x, ay + y), (bx + x, by + y), (cx + x, cy + y), (dx + x, dy + y))
    return replace(word, quad=quad)
