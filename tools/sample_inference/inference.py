"""Plates of one picture: the detector's boxes, then the reader's words on their crops."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from cloud_apis.contract import API_KEY_HEADER, MAX_CROPS, PlateBox, PlateRead, Quad, Word
from cloud_apis.contract.second_reading import WIDER, surer, unsure
from edge_client.config import ApiSettings, DetectionSettings, PoolSettings, ReadingSettings
from edge_client.counters import Counters
from edge_client.imaging import cut_crop, encode_crop, frame_boxes, reduce_frame
from edge_client.requests.apis import APIS, PlateApis
from edge_client.requests.embedded import EmbeddedApis
from edge_client.requests.endpoints import Endpoints, FixedEndpoints
from edge_client.requests.transport import Transport
from edge_client.types import Image

DETECTOR_WIDTH_PX = 1280  # a single picture may cost more than a frame of a drive
LARGEST_CROP_PX = 512


@dataclass(frozen=True, slots=True)
class Found:
    """The plates that reached the threshold, best first, and how many did not with the best score of those."""

    plates: tuple[PlateRead, ...]
    discarded: int = 0
    best_discarded: float = 0.0


@contextmanager
def open_apis(yolov3_url: str | None, crnn_url: str | None, api_key: str | None) -> Iterator[PlateApis]:
    """The two APIs at these URLs, or embedded ones, started for as long as this is open, when both are None.

    Raises an `edge_client.errors.DashcamError` when the embedded ones cannot be started.
    """
    embedded: EmbeddedApis | None = None
    endpoints: Endpoints
    if yolov3_url is not None and crnn_url is not None:
        endpoints = FixedEndpoints(yolov3_url, crnn_url)
    else:
        endpoints = embedded = EmbeddedApis(ApiSettings())
    try:
        if embedded is not None:
            embedded.start(threading.Event())
        settings = PoolSettings(connect_timeout_s=5.0, read_timeout_s=30.0)
        transport = Transport(settings, {API_KEY_HEADER: api_key} if api_key else None)
        yield PlateApis(endpoints, transport, settings, Counters(APIS), patient=False)
    finally:
        if embedded is not None:
            embedded.close()


def find_plates(image: Image, apis: PlateApis, threshold: float) -> Found:
    """Detects and reads the plates of a picture, uint8 BGR.

    Boxes scored below ``threshold`` (objectness times class score) are discarded and not read. What is read unsurely is
    read once more from a wider crop, in case the box cut a character, and the surer read counts. Words have their
    corners in pixels of the picture. Raises an `edge_client.errors.ApiError`.
    """
    reduced = reduce_frame(image, DetectionSettings(yolov3_input_size_px=DETECTOR_WIDTH_PX, yolov3_jpeg_quality=92))
    boxes = frame_boxes(apis.detect(reduced.jpeg), reduced, image, 0.0)
    kept = sorted((b for b in boxes if b.score >= threshold), key=lambda b: -b.score)
    below = [b.score for b in boxes if b.score < threshold]
    margin = ReadingSettings().crop_margin
    reads = _read(image, kept, apis, (margin, margin))
    again = unsure(reads)
    for number, words in zip(again, _read(image, [kept[n] for n in again], apis, WIDER), strict=True):
        reads[number] = surer(reads[number], words)
    plates = tuple(PlateRead(box, words) for box, words in zip(kept, reads, strict=True))
    return Found(plates, len(below), max(below, default=0.0))


def _read(
    image: Image, boxes: Sequence[PlateBox], apis: PlateApis, margins: tuple[float, float]
) -> list[tuple[Word, ...]]:
    """The words in each box, widened by these parts of its width and height, with corners in pixels of the picture."""
    reading = ReadingSettings()
    reads: list[tuple[Word, ...]] = []
    for start in range(0, len(boxes), MAX_CROPS):
        cuts = [cut_crop(image, box, *margins) for box in boxes[start : start + MAX_CROPS]]
        shrinks = [min(1.0, LARGEST_CROP_PX / max(cut.shape[:2])) for cut in cuts]
        crops = [encode_crop(_shrink(cut, factor), reading) for cut, factor in zip(cuts, shrinks, strict=True)]
        for cut, factor, words in zip(cuts, shrinks, apis.read(crops), strict=True):
            left, top = _corner(image, cut)
            reads.append(tuple(_moved(word, left, top, factor) for word in words))
    return reads


def read_key(file: Path | None) -> str | None:
    """The key in the file's first line. Raises OSError or ValueError (not printable ASCII)."""
    if file is None:
        return None
    key = file.read_text(encoding="utf-8").partition("\n")[0].strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ValueError("its first line is not a key of printable ASCII characters")
    return key


def _shrink(crop: Image, factor: float) -> Image:
    if factor >= 1:
        return crop
    size = max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor))
    return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _corner(image: Image, cut: Image) -> tuple[int, int]:
    """Where a view of the picture begins, x and y in pixels."""
    offset = cut.__array_interface__["data"][0] - image.__array_interface__["data"][0]
    rows, rest = divmod(offset, image.strides[0])
    return rest // image.strides[1], rows


def _moved(word: Word, left: int, top: int, factor: float) -> Word:
    a, b, c, d = ((left + x / factor, top + y / factor) for x, y in word.quad)
    quad: Quad = (a, b, c, d)
    return replace(word, quad=quad)
