from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from torch import Tensor, nn

from tools.training.common.export import export_onnx, quantise
from tools.training.common.recover import dequantised, recover, weights_of
from tools.training.craft.model import Craft
from tools.training.crnn.model import Crnn
from tools.training.yolov3.network import STRIDES, YoloV3

NETWORKS: tuple[tuple[type[nn.Module], tuple[int, ...], tuple[str, ...]], ...] = (
    (YoloV3, (1, 1, 64, 64), tuple(f"p{stride}" for stride in STRIDES)),
    (Craft, (1, 1, 96, 192), ("score",)),
    (Crnn, (1, 1, 32, 160), ("logits",)),
)


@pytest.mark.parametrize(("form", "shape", "outputs"), NETWORKS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_network_is_read_back_from_its_onnx(
    form: type[nn.Module], shape: tuple[int, ...], outputs: tuple[str, ...], tmp_path: Path
) -> None:
    torch.manual_seed(1)
    network = form()
    with torch.no_grad():
        network(torch.rand(2, *shape[1:]))  # gives the normalisations statistics of their own
    file = tmp_path / "x.float32.onnx"
    export_onnx(network, torch.zeros(shape), file, "image", outputs, {"image": {0: "batch"}})
    again = form()
    recover(again, file)
    image = torch.rand(shape)
    with torch.no_grad():
        expected = network.eval()(image)
        found = again.eval()(image)
        # In training, too, it is the same network: normalisations were not folded away.
        torch.manual_seed(2)
        expected_in_training = network.train()(image.repeat(2, 1, 1, 1))
        torch.manual_seed(2)
        found_in_training = again.train()(image.repeat(2, 1, 1, 1))
    served = ort.InferenceSession(str(file)).run(list(outputs), {"image": image.numpy()})
    for one, other in ((expected, found), (expected_in_training, found_in_training)):
        for a, b in zip(as_tuple(one), as_tuple(other), strict=True):
            assert torch.equal(a, b)
    for a, b in zip(as_tuple(expected), served, strict=True):
        assert np.abs(a.numpy() - b).max() < 1e-4


def as_tuple(value: tuple[Tensor, ...] | Tensor) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_other_files_are_refused_and_change_nothing(tmp_path: Path) -> None:
    file, int8 = tmp_path / "x.onnx", tmp_path / "int8.onnx"
    export_onnx(Craft(), torch.zeros(1, 1, 96, 192), file, "image", ["score"], {})
    quantise(file, int8, "image", (np.zeros((1, 1, 96, 192), np.float32) for _ in range(2)))
    assert len(weights_of(file)) >= len(Craft().state_dict()) // 2
    network = Crnn()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for other in (file, int8):
        with pytest.raises(ValueError, match="of another network, or int8"):
            recover(network, other)
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ValueError, match="is no ONNX file"):
        recover(network, tmp_path / "text.onnx")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_weights_kept_in_int8_are_read_as_what_they_stand_for(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 5))
    file, int8 = tmp_path / "x.onnx", tmp_path / "int8.onnx"
    export_onnx(network, torch.zeros(1, 1, 8, 8), file, "image", ["logits"], {})
    quantise(file, int8, "image", (np.random.default_rng(n).random((1, 1, 8, 8), np.float32) for n in range(4)))
    found = dequantised(int8)
    for name, weight in network.state_dict().items():
        whole = weight.flatten(1).abs().amax(1) if name.endswith("weight") else weight.abs().amax()
        off = (
            (found[name] - weight).abs().flatten(1).amax(1) if name.endswith("weight") else (found[name] - weight).abs()
        )
        assert (off <= 0.51 * whole / 127).all(), name
