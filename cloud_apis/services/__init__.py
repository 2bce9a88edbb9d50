"""What answers the requests: models behind bounded queues."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from cloud_apis.contract import PlateBox, Word
from cloud_apis.model_sources import models_folder
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.pool import WorkerPool
from cloud_apis.reader import load_reader
from cloud_apis.services.plates import PictureReads, PictureRequest, read_crops, read_picture
from cloud_apis.session import Model
from cloud_apis.settings import ApiSettings
from cloud_apis.yolov3.detector import load_detector

T = TypeVar("T")
R = TypeVar("R")

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
        read = partial(_each, partial(read_crops, reader))
        crops_pool = WorkerPool("crnn", read, workers=crnn.workers, queue=crnn.queue)
    if detector and reader and Api.READER in apis:
        look = partial(_each, partial(read_picture, detector, reader))
        pictures_pool = WorkerPool("picture", look, workers=crnn.workers, queue=crnn.queue)
    return Services(detector_pool, crops_pool, pictures_pool, models)


def _each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]
