"""Which models figures were made with, and the same models in float32."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.evaluation.parts import PartError, manifest_of

PREFIX = 8
READERS = ("craft", "crnn")


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """A model file: its name, SHA-256, precision as its manifest says, and bytes."""

    name: str
    sha256: str
    precision: str
    size: int

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:PREFIX]} ({self.precision})"


def models_used(folder: Path, names: Sequence[str]) -> list[ModelUsed]:
    """What these models of a folder are. Raises PartError when one is missing."""
    return [model_used(folder / f"{name}.onnx") for name in names]


def model_used(path: Path) -> ModelUsed:
    """What that ONNX file is. Raises PartError when it is missing."""
    if not path.is_file():
        raise PartError(f"the model {path} does not exist")
    said = manifest_of(path)
    content = path.read_bytes()
    precision = str(said.get("precision", "float32" if ".float32" in path.name else "precision unknown"))
    return ModelUsed(path.name.split(".")[0], hashlib.sha256(content).hexdigest(), precision, len(content))


def named(models: Sequence[ModelUsed]) -> str:
    """The models in one line, for a table's caption."""
    return ", ".join(str(m) for m in models)


@contextmanager
def float32_models(folders: Sequence[Path], shipped: Path, names: Sequence[str]) -> Iterator[Path]:
    """A folder with the float32 models of these names beside manifests, as the APIs load them.

    They are looked for as `<name>.float32.onnx` in the folders, where the exporters write them; anchors, alphabet
    and the rest are those of the shipped int8 models. Raises PartError that names what is missing.
    """
    with TemporaryDirectory(prefix="float32-") as made:
        for name in names:
            places = [f / f"{name}.float32.onnx" for f in folders]
            found = next((p for p in places if p.is_file()), None)
            if found is None:
                raise PartError(f"there is no {name}.float32.onnx in {', '.join(str(f) for f in folders)}")
            _write(Path(made), name, found, {**manifest_of(shipped / f"{name}.onnx"), "precision": "float32"})
        yield Path(made)


def is_calibrated(folder: Path) -> bool:
    """Whether the recogniser's manifest has a calibration."""
    return manifest_of(folder / "crnn.onnx").get("calibration") is not None


def calibrated_on(folder: Path) -> str | None:
    """The split that the recogniser's calibration was fitted on, as its manifest says; None where it does not."""
    calibration = manifest_of(folder / "crnn.onnx").get("calibration")
    fitted = calibration.get("fitted_on") if isinstance(calibration, dict) else None
    return str(fitted["part"]) if isinstance(fitted, dict) and "part" in fitted else None


def _write(folder: Path, name: str, model: Path, manifest: Mapping[str, object]) -> None:
    target = folder / f"{name}.onnx"
    shutil.copy(model, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    content = {"version": "0", **manifest, "name": name, "file": target.name, "sha256": digest}
    target.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")
