from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cloud_apis.errors import StartError
from cloud_apis.session import TensorInfo, load_model


def test_a_model_describes_itself(models: Path) -> None:
    model = load_model(models, "crnn", ["logits"])
    assert model.inputs == (TensorInfo("image", "FP32", (-1, 1, 32, 160)),)
    assert model.outputs == (TensorInfo("logits", "FP32", (-1, 20, 37)),)
    assert model.output_shape("logits") == (-1, 20, 37)


def test_several_threads_share_a_model(models: Path) -> None:
    model = load_model(models, "crnn", ["logits"])
    images = [np.full((n, 1, 32, 160), n / 8, np.float32) for n in range(1, 8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: model.run(image)[0], images))
    for image, logits in zip(images, together, strict=True):
        assert logits.shape == (len(image), 20, 37)
        assert (logits == model.run(image)[0]).all()


def test_a_model_of_another_form_is_refused(models: Path) -> None:
    with pytest.raises(StartError, match="crnn: expected the input 'image' and the outputs score"):
        load_model(models, "crnn", ["score"])


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crnn.onnx").write_bytes(b"nonsense")
    manifest = {"name": "crnn", "version": "1", "sha256": hashlib.sha256(b"nonsense").hexdigest()}
    (tmp_path / "crnn.json").write_text(json.dumps(manifest))
    with pytest.raises(StartError, match="'crnn' does not load") as caught:
        load_model(tmp_path, "crnn", ["logits"])
    assert "\n" not in str(caught.value)


def test_a_provider_that_is_not_there_is_named(models: Path) -> None:
    with pytest.raises(StartError, match="no provider 'AbacusExecutionProvider'"):
        load_model(models, "crnn", ["logits"], providers=["AbacusExecutionProvider"])
