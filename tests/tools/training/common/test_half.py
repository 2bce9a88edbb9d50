from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from tools.training.common.export import export_onnx
from tools.training.common.half import store_half
from tools.training.common.recover import recover
from tools.training.crnn.model import Crnn


def answers(file: Path, image: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(None, {"image": image})
    return found


def test_half_the_size_the_same_answers_and_weights_to_train_on(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network, file = Crnn().eval(), tmp_path / "crnn.float32.onnx"
    image = np.random.default_rng(1).random((2, 1, 32, 160), np.float32)
    export_onnx(network, torch.zeros(1, 1, 32, 160), file, "image", ["logits"], {"image": {0: "batch"}})
    size, before = file.stat().st_size, answers(file, image)[0]
    store_half(file)
    assert file.stat().st_size < 0.55 * size
    after = answers(file, image)[0]
    assert after.dtype == np.float32
    assert not np.array_equal(after, before)
    assert np.abs(after - before).max() < 0.01
    again = Crnn().eval()
    recover(again, file)
    with torch.no_grad():
        assert np.abs(again(torch.from_numpy(image)).numpy() - after).max() < 1e-3
