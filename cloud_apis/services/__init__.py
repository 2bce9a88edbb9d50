"""What answers the requests: models behind bounded queues."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from cloud_apis.catalogue.table import Catalogue, load_catalogue
from cloud_apis.contract import PlateBox, Word
from cloud_apis.contract.vehicles import Facts, Guess, VehicleAttributes, VehicleBox
from cloud_apis.model_sources import models_folder
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.pool import WorkerPool
from cloud_apis.services.loading import Networks
from cloud_apis.services.plates import PictureReads, PictureRequest, read_crops, read_picture
from cloud_apis.services.vehicles import LookRequest, Report, Reporter, ReportRequest, find_vehicles, look, tell_colours
from cloud_apis.session import Model
from cloud_apis.settings import ApiSettings, QueueSettings

T = TypeVar("T")
R = TypeVar("R")

DetectorPool = WorkerPool[bytes, tuple[PlateBox, ...]]
CropsPool = WorkerPool[Sequence[bytes], list[tuple[Word, ...]]]
PicturesPool = WorkerPool[PictureRequest, PictureReads]
VehiclesPool = WorkerPool[bytes, tuple[VehicleBox, ...]]
ColoursPool = WorkerPool[bytes, tuple[Guess, ...]]
LooksPool = WorkerPool[LookRequest, VehicleAttributes]
ReportsPool = WorkerPool[ReportRequest, Report]
Pool = DetectorPool | CropsPool | PicturesPool | VehiclesPool | ColoursPool | LooksPool | ReportsPool


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """The queues of the APIs that are offered, None for those that are not, and the models behind them."""

    models: Mapping[str, Model]
    catalogue: Catalogue | None = None
    detector: DetectorPool | None = None
    crops: CropsPool | None = None
    pictures: PicturesPool | None = None
    vehicles: VehiclesPool | None = None
    colours: ColoursPool | None = None
    makes: LooksPool | None = None
    reports: ReportsPool | None = None
    close_reporter: Callable[[], None] | None = None

    def queues(self) -> dict[Api, Pool]:
        """The queue of each API that is offered."""
        by_api: dict[Api, Pool | None] = {
            Api.YOLOV3: self.detector,
            Api.CRNN: self.crops,
            Api.READER: self.pictures,
            Api.VEHICLES: self.vehicles,
            Api.COLOURS: self.colours,
            Api.MAKE_MODEL: self.makes,
            Api.REPORT: self.reports,
        }
        return {api: pool for api, pool in by_api.items() if pool is not None}

    @property
    def colours_alone(self) -> bool:
        """Whether the colours are all that is offered: they then answer at the root too."""
        return list(self.queues()) == [Api.COLOURS]

    def facts_of(self, make: str, model: str) -> Facts | None:
        """What the catalogue knows of a model, or None."""
        found = self.catalogue.facts_of(make, model) if self.catalogue else None
        return found.to_json() if found else None

    def close(self) -> None:
        """End the workers; requests that wait are cancelled."""
        for pool in self.queues().values():
            pool.close()
        if self.close_reporter:
            self.close_reporter()


def load_services(settings: ApiSettings, apis: Collection[Api]) -> Services:
    """Load and warm up the models that the named APIs need, and start their workers.

    Raises `StartError` when a model is missing or does not fit the settings, or the catalogue cannot be read.
    """
    needed = [name for api in Api if api in apis for name in MODELS_OF[api]]
    folder = models_folder(settings.models, dict.fromkeys(needed), settings.model_references)
    networks = Networks(folder, settings)
    catalogue = load_catalogue(settings.catalogue) if {Api.MAKE_MODEL, Api.REPORT} & set(apis) else None
    yolov3, crnn, attributes = settings.yolov3, settings.crnn, settings.attributes
    detector = crops = pictures = finder = colours = makes = reports = reporter = None
    if Api.YOLOV3 in apis:
        detector = WorkerPool(
            "yolov3", networks.detector.detect, workers=yolov3.workers, queue=yolov3.queue, batch=yolov3.batch
        )
    if Api.CRNN in apis:
        crops = _pool("crnn", partial(read_crops, networks.reader), crnn)
    if Api.READER in apis:
        pictures = _pool("picture", partial(read_picture, networks.detector, networks.reader), crnn)
    if Api.VEHICLES in apis:
        finder = _pool("vehicles", partial(find_vehicles, networks.finder), settings.vehicles)
    if Api.COLOURS in apis:
        colours = _pool("colours", partial(tell_colours, networks.classifier), attributes)
    if Api.MAKE_MODEL in apis:
        makes = _pool("makes", partial(look, networks.classifier), attributes)
    if Api.REPORT in apis:
        reporter = Reporter(
            networks.finder,
            networks.classifier,
            networks.detector,
            networks.reader,
            attributes.workers,
        )
        reports = _pool("report", reporter.report, attributes)
    return Services(
        networks.models,
        catalogue,
        detector,
        crops,
        pictures,
        finder,
        colours,
        makes,
        reports,
        reporter.close if reporter else None,
    )


def _pool(name: str, work: Callable[[T], R], settings: QueueSettings) -> WorkerPool[T, R]:
    """A queue whose items are worked on one by one."""
    return WorkerPool(name, partial(_each, work), workers=settings.workers, queue=settings.queue)


def _each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]
