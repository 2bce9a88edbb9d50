"""Loading each model once, however many APIs need it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from cloud_apis.attributes.classifier import Classifier, load_classifier
from cloud_apis.reader import Reader, load_reader
from cloud_apis.session import Model
from cloud_apis.settings import ApiSettings
from cloud_apis.vehicles.detector import VehicleDetector, load_vehicle_detector
from cloud_apis.yolov3.detector import Detector, load_detector


class Networks:
    """The networks of a folder, loaded and warmed up when they are first asked for; they raise `StartError`."""

    def __init__(self, folder: Path, settings: ApiSettings) -> None:
        self._folder = folder
        self._settings = settings
        self.models: dict[str, Model] = {}

    @cached_property
    def detector(self) -> Detector:
        """Finds plates."""
        loaded = load_detector(self._folder, self._settings.yolov3)
        loaded.warm_up()
        self.models["yolov3"] = loaded.model
        return loaded

    @cached_property
    def reader(self) -> Reader:
        """Reads plates."""
        loaded = load_reader(self._folder, self._settings)
        loaded.warm_up()
        self.models |= {"craft": loaded.finder.model, "crnn": loaded.recogniser.model}
        return loaded

    @cached_property
    def finder(self) -> VehicleDetector:
        """Finds vehicles."""
        settings = self._settings.vehicles
        loaded = load_vehicle_detector(
            self._folder,
            obj_thresh=settings.obj_thresh,
            nms_thresh=settings.nms_thresh,
            threads=settings.threads,
            providers=settings.providers,
        )
        loaded.warm_up()
        self.models["vehicles"] = loaded.model
        return loaded

    @cached_property
    def classifier(self) -> Classifier:
        """Tells what vehicles look like."""
        settings = self._settings.attributes
        loaded = load_classifier(self._folder, threads=settings.threads, providers=settings.providers)
        loaded.warm_up()
        self.models["attributes"] = loaded.model
        return loaded
