"""The settings of the prediction APIs, as `config/apis.yaml` has them; unknown keys are refused."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud_apis.yaml_file import read_settings

Providers = Annotated[
    list[str],
    Field(min_length=1, description="onnxruntime's execution providers, in order of preference"),
]
ObjThresh = Annotated[float, Field(gt=0, lt=1, strict=False, description="least objectness times class score")]
NmsThresh = Annotated[
    float,
    Field(gt=0, le=1, strict=False, description="intersection over union above which the weaker box goes"),
]
_CPU = ["CPUExecutionProvider"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RunSettings(_Section):
    """How a model is run."""

    threads: int = Field(default=1, ge=1, le=64, description="threads within one inference")
    providers: Providers = _CPU


class SessionSettings(RunSettings):
    """How a model is run that takes several pictures at a time."""

    batch: int = Field(default=1, ge=1, le=64, description="most pictures in one inference; 1 on a CPU")


class QueueSettings(_Section):
    """How an API's queue is worked on."""

    workers: int = Field(default=2, ge=1, le=64, description="requests worked on at the same time")
    queue: int = Field(default=32, ge=1, le=4096, description="requests that may wait; more are refused (503)")


class ServedSettings(SessionSettings, QueueSettings):
    """How an API's model and queue are run."""


class YoloV3Settings(ServedSettings):
    """The detector; the first six keys are named as in the original."""

    labels: list[str] | None = Field(
        default=None,
        min_length=1,
        description="class names, in the order of the network's outputs; null: those of the model",
    )
    net_h: int = Field(ge=32, le=4096, multiple_of=32, description="height that pictures are fitted into, pixels")
    net_w: int = Field(ge=32, le=4096, multiple_of=32, description="width that pictures are fitted into, pixels")
    anchors: list[Annotated[int, Field(ge=1, le=4096)]] | None = Field(
        default=None,
        min_length=6,
        description="widths and heights in network pixels, three per stride, finest first; null: those of the model",
    )
    obj_thresh: ObjThresh
    nms_thresh: NmsThresh

    @model_validator(mode="after")
    def _anchors_ascend(self) -> Self:
        if self.anchors is None:
            return self
        if len(self.anchors) % 6:
            raise ValueError("anchors must be three pairs of width and height per stride")
        areas = [w * h for w, h in zip(self.anchors[::2], self.anchors[1::2], strict=True)]
        scales = [areas[i : i + 3] for i in range(0, len(areas), 3)]
        if any(list(map(edge, scales)) != sorted(map(edge, scales)) for edge in (min, max)):
            raise ValueError("anchors must ascend by area from scale to scale")
        return self


class CraftSettings(SessionSettings):
    """The text line finder; it runs within the requests to crnn."""


class CrnnSettings(ServedSettings):
    """The recogniser, with the text line finder before it."""

    second_look: float = Field(
        default=0.9,
        ge=0,
        le=1,
        strict=False,
        description="words with a character of less confidence are looked at again; 0: none",
    )
    regions: list[str] = Field(
        default=[], description="codes from config/regions.yaml, such as GB, whose forms of plates are preferred"
    )
    calibrated: bool = Field(
        default=True, description="confidences are chances to be right, by the model's calibration; false: as they come"
    )


class VehiclesSettings(RunSettings, QueueSettings):
    """The detector of vehicles, for /vehicles and /vehicle-report."""

    obj_thresh: ObjThresh = 0.35
    nms_thresh: NmsThresh = 0.5


class AttributesSettings(RunSettings, QueueSettings):
    """The classifier of vehicles, for /colors, /make-model and /vehicle-report."""


class ApiSettings(_Section):
    """Everything in `config/apis.yaml`."""

    models: str | None = Field(
        default=None, description="folder or s3://BUCKET/PREFIX of the model files; null: those of the package"
    )
    model_references: list[str] = Field(
        default=[], description="versions of fetched models, NAME:TAG or NAME@sha256:DIGEST; others are NAME:latest"
    )
    catalogue: Path | None = Field(
        default=None,
        strict=False,
        description="table of facts about models that `python -m tools.catalogue import` made; null: the shipped one",
    )
    api_key_file: str | None = Field(default=None, description="file whose first line is the API key")
    body_timeout_s: float = Field(
        default=30,
        gt=0,
        le=3600,
        strict=False,
        description="longest time that a request's body may take, seconds",
    )
    yolov3: YoloV3Settings = Field(description="the detector")
    craft: CraftSettings = Field(default=CraftSettings(), description="the text line finder")
    crnn: CrnnSettings = Field(default=CrnnSettings(), description="the recogniser")
    vehicles: VehiclesSettings = Field(default=VehiclesSettings(), description="the detector of vehicles")
    attributes: AttributesSettings = Field(default=AttributesSettings(), description="the classifier of vehicles")


def default_config() -> Path:
    """The settings that come with the package."""
    return Path(str(resources.files("config"))) / "apis.yaml"


def load_settings(path: Path | None = None) -> ApiSettings:
    """Read and check a settings file, the package's own if none is named.

    Raises `StartError` with one line that names the file, the key and what is wrong with it.
    """
    return read_settings(path or default_config(), ApiSettings)
