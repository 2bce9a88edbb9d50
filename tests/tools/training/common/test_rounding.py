from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from tools.training.common.export import quantise
from tools.training.common.rounding import Point, Rounded, calibrate, tensor_ranges
from tools.training.yolov3.export import export_detector, prediction_layers
from tools.training.yolov3.network import YoloV3


def small() -> YoloV3:
    """A narrow detector whose logits say something, as a trained one's do."""
    torch.manual_seed(3)
    network = YoloV3(widths=(4, 8, 8, 8, 8), residuals=(1, 1, 1, 1), finest=4).eval()
    for name, parameter in network.named_parameters():
        if name.endswith("predict.1.weight"):
            nn.init.normal_(parameter, std=1.0)
    return network


def pictures(count: int, seed: int = 0) -> list[torch.Tensor]:
    random = np.random.default_rng(seed)
    return [torch.from_numpy(random.integers(0, 256, (1, 1, 64, 96)) / 255).float() for _ in range(count)]


def test_a_range_is_as_wide_as_costs_least() -> None:
    network = nn.Sequential(nn.Identity(), nn.ReLU())
    points = [Point("Relu", "1")]
    even = torch.linspace(-1, 4, 2000)
    assert calibrate(network, points, [even]) == {"Relu 1": 4.0}
    # One value far out: to keep it would make the steps of all others coarse.
    outlier = torch.cat([torch.rand(200_000), torch.tensor([2.5])])
    assert 1.0 <= calibrate(network, points, [outlier])["Relu 1"] < 2.5


def test_it_computes_what_the_int8_file_computes(tmp_path: Path) -> None:
    network, seen = small(), pictures(6)
    ranges = calibrate(network, network.points(), seen)
    assert len(ranges) == len(network.points())
    float_file, int8_file = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    export_detector(network, float_file, network.strides)
    named = tensor_ranges(float_file, ranges)
    quantise(float_file, int8_file, "image", [p.numpy() for p in seen], prediction_layers(float_file), ranges=named)
    names = [f"p{stride}" for stride in network.strides]
    session = onnxruntime.InferenceSession(str(int8_file), providers=["CPUExecutionProvider"])
    rounded = Rounded(network, network.points(), ranges, network.float_layers()).eval()
    for picture in pictures(3, seed=1):
        served = session.run(names, {"image": picture.numpy()})
        with torch.no_grad():
            simulated, exact = rounded(picture), network(picture)
        for name, int8, own, full in zip(names, served, simulated, exact, strict=True):
            lost = float(np.abs(full.numpy() - int8).mean())
            assert lost > 0, name
            assert float(np.abs(own.numpy() - int8).mean()) < 0.5 * lost, name


def test_it_leaves_the_network_as_it_was_and_trains_its_weights() -> None:
    network = small()
    picture = pictures(1)[0]
    with torch.no_grad():
        before = network(picture)
    ranges = calibrate(network, network.points(), [picture])
    rounded = Rounded(network, network.points(), ranges, network.float_layers()).train()
    statistics = network.state_dict()["stem.1.running_mean"].clone()
    torch.autograd.backward([output.square().mean() for output in rounded(picture)])
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert torch.equal(network.state_dict()["stem.1.running_mean"], statistics)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(before, network.eval()(picture), strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(before, rounded.eval()(picture), strict=True))


def test_ranges_that_do_not_fit_the_file_are_refused(tmp_path: Path) -> None:
    network = small()
    export_detector(network, tmp_path / "float.onnx", network.strides)
    with pytest.raises(ValueError, match="Relu nodes, but 1 have ranges"):
        tensor_ranges(tmp_path / "float.onnx", {"Relu stem.2": 1.0})
