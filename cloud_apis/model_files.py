"""Model files beside their manifests, checked before they are used."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud_apis.crnn.calibration import Calibration
from cloud_apis.errors import StartError


class Manifest(BaseModel):
    """What `<name>.json` says of the model file `<name>.onnx` beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="the model's name, that of its files")
    version: str = Field(description="the model's version")
    sha256: str = Field(description="SHA-256 of the .onnx file, in hexadecimal", pattern="^[0-9a-f]{64}$")
    precision: str = Field(default="float32", description="the weights' precision: float32 or int8")
    labels: list[str] | None = Field(default=None, description="class names of a detector, in order")
    anchors: list[int] | None = Field(default=None, description="anchors that a detector was trained with")
    strides: list[Annotated[int, Field(ge=1, le=256)]] | None = Field(
        default=None, min_length=1, max_length=8, description="pixels per cell of a detector's scales, finest first"
    )
    alphabet: str | None = Field(default=None, description="characters of a recogniser, class 1 first")
    calibration: Calibration | None = Field(default=None, description="what a recogniser's confidences are worth")


def packaged_models() -> Path:
    """The folder of the models that come with the package."""
    return Path(str(resources.files("cloud_apis"))) / "models"


def load_model_file(folder: Path, name: str) -> tuple[bytes, Manifest]:
    """Read `<name>.onnx` and its manifest; raises `StartError` when one is missing or they do not agree."""
    manifest_path, model_path = folder / f"{name}.json", folder / f"{name}.onnx"
    try:
        content: Any = json.loads(manifest_path.read_text(encoding="utf-8"))
        model = model_path.read_bytes()
    except FileNotFoundError as error:
        raise StartError(f"the model {name!r} is missing: {error.filename} does not exist") from error
    except (OSError, ValueError, RecursionError) as error:
        raise StartError(f"the model {name!r} cannot be read from {folder}: {error}") from error
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise StartError(f"{manifest_path}: {place}: {first['msg']}") from error
    if manifest.name != name:
        raise StartError(f"{manifest_path} describes {manifest.name!r} instead of {name!r}")
    if hashlib.sha256(model).hexdigest() != manifest.sha256:
        raise StartError(f"{model_path} is not the file that {manifest_path.name} describes (SHA-256 differs)")
    return model, manifest
