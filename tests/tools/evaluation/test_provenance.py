"""Models are named by what they are, and float32 models take the shipped ones' place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cloud_apis import tiny_models
from tools.evaluation import parts
from tools.evaluation.provenance import (
    READERS,
    calibrated_on,
    float32_models,
    is_calibrated,
    model_used,
    models_used,
    named,
)


def test_a_model_is_named_by_its_content(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), precision="int8")
    used = model_used(tmp_path / "crnn.onnx")
    digest = hashlib.sha256((tmp_path / "crnn.onnx").read_bytes()).hexdigest()
    assert used.sha256 == digest
    assert used.size == (tmp_path / "crnn.onnx").stat().st_size
    assert named([used]) == f"crnn {digest[:8]} (int8)"
    with pytest.raises(parts.PartError, match=r"craft\.onnx does not exist"):
        models_used(tmp_path, READERS)


def test_float32_models_are_found_in_their_folders_and_load(tmp_path: Path) -> None:
    shipped, one, other = (tmp_path / name for name in ("shipped", "one", "other"))
    for folder in (shipped, one, other):
        folder.mkdir()
    tiny_models.write_all(shipped)
    (one / "craft.float32.onnx").write_bytes(tiny_models.craft().SerializeToString())
    (other / "crnn.float32.onnx").write_bytes(tiny_models.crnn().SerializeToString())
    with float32_models([one, other], shipped, READERS) as folder:
        assert [m.precision for m in models_used(folder, READERS)] == ["float32", "float32"]
        image = cv2.cvtColor(np.full((96, 192), 255, np.uint8), cv2.COLOR_GRAY2BGR)
        assert parts.reader(parts.settings(None), folder)(np.asarray(image, np.uint8)).text == "1"
    with pytest.raises(parts.PartError, match=r"no crnn\.float32\.onnx in .*one"), float32_models([one], one, READERS):
        pass


def test_calibration_is_told_by_the_manifest(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn())
    assert not is_calibrated(tmp_path)
    line = {"scale": 1.0, "offset": 0.0}
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), calibration={"character": line, "plate": line})
    assert is_calibrated(tmp_path)
    assert calibrated_on(tmp_path) is None
    fitted = {"character": line, "plate": line, "fitted_on": {"part": "dev", "plates": 9}}
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), calibration=fitted)
    assert calibrated_on(tmp_path) == "dev"
