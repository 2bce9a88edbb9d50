"""Two ways of asking what is in a picture of vehicles: the models in this process, or the APIs as a client does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
import requests
from numpy.typing import NDArray

from cloud_apis.attributes.classifier import load_classifier
from cloud_apis.attributes.preprocess import crop_of
from cloud_apis.contract import API_KEY_HEADER, ContractError
from cloud_apis.contract.vehicles import (
    COLOURS_PATH,
    MAKE_MODEL_PATH,
    REPORT_PATH,
    VEHICLES_PATH,
    VehicleAttributes,
    VehicleBox,
    parse_colours_answer,
    parse_make_model_answer,
    parse_report_answer,
    parse_vehicles_answer,
)
from cloud_apis.names import Api
from cloud_apis.settings import load_settings
from cloud_apis.vehicles.detector import load_vehicle_detector
from tools.evaluation.client import post_picture
from tools.evaluation.detection import iou_matrix
from tools.evaluation.endtoend import NoAnswerError
from tools.evaluation.parts import PartError
from tools.serving import ServeError, served

LOW_THRESHOLD: Final = 0.02
"""Scores from here on count for the average precision."""
JPEG_QUALITY: Final = 95
TOP_K: Final = 5
SAME_CAR_IOU: Final = 0.5
APIS: Final = (Api.VEHICLES, Api.COLOURS, Api.MAKE_MODEL, Api.REPORT)
Image = NDArray[np.uint8]
T = TypeVar("T")
Corners = tuple[float, float, float, float]


class Way(Protocol):
    """How pictures, BGR uint8 (H, W, 3), are asked about."""

    name: str

    def find(self, picture: Image) -> list[VehicleBox]:
        """The vehicles of a picture, also those with low scores."""

    def describe(self, picture: Image, box: Corners) -> VehicleAttributes:
        """What the car in a box of the picture looks like."""


@dataclass
class InProcess:
    """The models of a folder, called directly; the labelled box is what is looked at."""

    folder: Path
    name: str = "in process, labelled boxes"
    times_ms: list[float] = field(default_factory=list)
    """How long each classification took, on one thread."""

    def __post_init__(self) -> None:
        self._detector = load_vehicle_detector(self.folder)
        self._classifier = load_classifier(self.folder)
        self._classifier.warm_up()

    def find(self, picture: Image) -> list[VehicleBox]:
        """As `Way` has it."""
        return list(self._detector.find(picture, LOW_THRESHOLD))

    def describe(self, picture: Image, box: Corners) -> VehicleAttributes:
        """As `Way` has it."""
        crop = crop_of(picture, box)
        began = time.perf_counter()
        said = self._classifier.classify(crop)
        self.times_ms.append(1000 * (time.perf_counter() - began))
        return said


@dataclass
class OverHttp:
    """The APIs at a URL: `/vehicles`; `/colors` and `/make-model` with the car cut out; the type by `/vehicle-report`.

    A report tells nothing of a car that it does not find: then there is no type. Raises NoAnswerError.
    """

    url: str
    session: requests.Session
    name: str = "over HTTP"

    def find(self, picture: Image) -> list[VehicleBox]:
        """As `Way` has it; the server's threshold decides."""
        return list(self._ask(VEHICLES_PATH, picture, parse_vehicles_answer))

    def describe(self, picture: Image, box: Corners) -> VehicleAttributes:
        """As `Way` has it."""
        crop = np.ascontiguousarray(crop_of(picture, box))
        colours = self._ask(COLOURS_PATH, crop, parse_colours_answer)
        said = self._ask(f"{MAKE_MODEL_PATH}?top_k={TOP_K}", crop, parse_make_model_answer)
        reported = self._ask(REPORT_PATH, picture, parse_report_answer)
        found = np.array([(r.box.xmin, r.box.ymin, r.box.xmax, r.box.ymax) for r in reported]).reshape(-1, 4)
        same = iou_matrix(np.array([box], np.float64), found)[0]
        types = reported[int(same.argmax())].attributes.types if len(same) and same.max() >= SAME_CAR_IOU else ()
        return VehicleAttributes(colours, types, said.makes, said.models, said.make, said.model)

    def _ask(self, path: str, picture: Image, parse: Callable[[object], T]) -> T:
        answer = post_picture(self.session, self.url + path, picture, JPEG_QUALITY)
        try:
            return parse(answer)
        except ContractError as error:
            raise NoAnswerError(f"{path}: {error}") from error


@contextmanager
def over_http(url: str | None, api_key: str | None, models: Path | None) -> Iterator[OverHttp]:
    """The APIs at a URL, or, without one, those of a server that is started here with low thresholds for boxes.

    Raises PartError when that does not start.
    """
    with requests.Session() as session:
        if api_key:
            session.headers[API_KEY_HEADER] = api_key
        if url is not None:
            yield OverHttp(url.rstrip("/"), session)
            return
        settings = load_settings()
        vehicles = settings.vehicles.model_copy(update={"obj_thresh": LOW_THRESHOLD})
        settings = settings.model_copy(update={"vehicles": vehicles, "models": str(models) if models else None})
        try:
            with served(settings, APIS) as server:
                yield OverHttp(server.url, session)
        except ServeError as error:
            raise PartError(str(error)) from error
