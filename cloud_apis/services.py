"""What answers the requests: models behind bounded queues."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.annotate import annotate
from cloud_apis.contract import PlateBox, PlateRead, Word
from cloud_apis.images import decode_bgr, decode_grey, encode_jpeg, inspect
from cloud_apis.model_sources import models_folder
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.pool import WorkerPool
from cloud_apis.reader import Reader, load_reader
from cloud_apis.session import Model
from cloud_apis.settings import ApiSettings
from cloud_apis.yolov3.detector import Detector, load_detector

T = TypeVar("T")
R = TypeVar("R")

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


DetectorPool = WorkerPool[bytes, tuple[PlateBox, ...]]
CropsPool = WorkerPool[Sequence[bytes], list[tuple[Word, ...]]]
PicturesPool = WorkerPool[PictureRequest, PictureReads]


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The queues of the APIs that are offered, None for those that are not, and the models behind them."""

    detector: DetectorPool | None
    crops: CropsPool | None
    pictures: PicturesPool | None
    models: Mapping[str, Model]

    def queues(self) -> dict[Api, DetectorPool | CropsPool | PicturesPool]:
        """The queue of each API that is offered."""
        by_api = {Api.YOLOV3: self.detector, Api.CRNN: self.crops, Api.READER: self.pictures}
        return {api: pool for api, pool in by_api.items() if pool is not None}

    def close(self) -> None:
        """End the workers; requests that wait are cancelled."""
        for pool in self.queues().values():
            pool.close()


def load_services(settings: ApiSettings, apis: Collection[Api] = tuple(Api)) -> Services:
    """Load and warm up the models that the named APIs need, and start their workers.

    Raises `StartError` when a model is missing or does not fit the settings.
    """
    needed = [name for api in Api if api in apis for name in MODELS_OF[api]]
    folder = models_folder(settings.models, dict.fromkeys(needed), settings.model_references)
    detector = load_detector(folder, settings.yolov3) if {Api.YOLOV3, Api.READER} & set(apis) else None
    reader = load_reader(folder, settings) if {Api.CRNN, Api.READER} & set(apis) else None
    models: dict[str, Model] = {}
    if detector:
        detector.warm_up()
        models["yolov3"] = detector.model
    if reader:
        reader.warm_up()
        models |= {"craft": reader.finder.model, "crnn": reader.recogniser.model}
    yolov3, crnn = settings.yolov3, settings.crnn
    detector_pool = crops_pool = pictures_pool = None
    if detector and Api.YOLOV3 in apis:
        detector_pool = WorkerPool(
            "yolov3", detector.detect, workers=yolov3.workers, queue=yolov3.queue, batch=yolov3.batch
        )
    if reader and Api.CRNN in apis:
        read = partial(_each, partial(_read_crops, reader))
        crops_pool = WorkerPool("crnn", read, workers=crnn.workers, queue=crnn.queue)
    if detector and reader and Api.READER in apis:
        look = partial(_each, partial(_read_picture, detector, reader))
        pictures_pool = WorkerPool("picture", look, workers=crnn.workers, queue=crnn.queue)
    return Services(detector_pool, crops_pool, pictures_pool, models)


def _each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]


def _read_crops(reader: Reader, crops: Sequence[bytes]) -> list[tuple[Word, ...]]:
    return reader.read([decode_grey(crop, inspect(crop)) for crop in crops])


def _read_picture(detector: Detector, reader: Reader, request: PictureRequest) -> PictureReads:
    picture = decode_bgr(request.data, inspect(request.data))
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    boxes = detector.find(grey)
    places = [_crop_place(box, grey) for box in boxes]
    read = reader.read([grey[rows, columns] for rows, columns in places])
    plates = tuple(
        PlateRead(box, tuple(_moved(word, columns.start, rows.start) for word in words))
        for box, words, (rows, columns) in zip(boxes, read, places, strict=True)
    )
    return PictureReads(plates, encode_jpeg(annotate(picture, plates)) if request.annotated else None)


def _crop_place(box: PlateBox, grey: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of the box with some room around it, at least one pixel each."""
    margin = _CROP_MARGIN * (box.ymax - box.ymin)
    height, width = grey.shape
    top = min(max(0, int(box.ymin - margin)), height - 1)
    left = min(max(0, int(box.xmin - margin)), width - 1)
    bottom = max(top + 1, math.ceil(box.ymax + margin))
    right = max(left + 1, math.ceil(box.xmax + margin))
    return slice(top, bottom), slice(left, right)


def _moved(word: Word, x: float, y: float) -> Word:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = word.quad
    quad = ((ax + x, ay + y), (bx + x, by + y), (cx + x, cy + y), (dx + x, dy + y))
    return replace(word, quad=quad)
