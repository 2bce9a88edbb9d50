from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
from torch import Tensor

from tools.training.common.export import MODELS
from tools.training.common.recover import COUNTERS
from tools.training.common.run_folder import RunFolder
from tools.training.yolov3.anchors import kmeans, size_iou
from tools.training.yolov3.dataset import Sample, in_dev
from tools.training.yolov3.evaluate import detections
from tools.training.yolov3.loss import YoloLoss, decode, iou
from tools.training.yolov3.network import STRIDES, YoloV3
from tools.training.yolov3.sizes import fit_sizes, scale_finest
from tools.training.yolov3.tightness import Tightness
from tools.training.yolov3.train import TrainSettings, one_cycle, train
from tools.training.yolov3.transfer import start_from

ANCHORS = torch.tensor(
    [
        *([6, 3], [8, 4], [12, 5]),
        *([16, 6], [27, 11], [34, 18]),
        *([57, 18], [50, 31], [70, 30]),
        *([86, 39], [133, 82], [300, 260]),
    ]
)


def samples(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    made = []
    for i in range(count):
        image = rng.integers(0, 80, (96, 128)).astype(np.uint8)
        image[40:52, 50:90] = 230
        made.append(Sample(f"plate{i}", "open_lpr", image, np.array([[50, 40, 90, 52]], np.float32)))
    return made


def test_anchors_are_the_clusters() -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[10.0, 4.0], [50.0, 20.0], [200.0, 90.0]])
    sizes = np.concatenate([c * rng.uniform(0.95, 1.05, (50, 2)) for c in centres])
    assert size_iou(kmeans(sizes, 3), centres).diagonal().min() > 0.9


def test_outputs_have_the_shape_of_their_stride() -> None:
    outputs = YoloV3().eval()(torch.zeros(2, 1, 64, 96))
    assert [tuple(o.shape) for o in outputs] == [(2, 18, 64 // s, 96 // s) for s in STRIDES]


def test_zero_logits_decode_to_the_anchor_in_the_middle_of_the_cell() -> None:
    boxes = decode(torch.zeros(1, 3, 2, 2, 6), torch.tensor([[8.0, 4.0]] * 3), 8)
    assert boxes[0, 0, 1, 0].tolist() == [0.0, 10.0, 8.0, 14.0]


def test_ciou_of_equal_boxes_is_one_and_falls_with_distance() -> None:
    box = torch.tensor([0.0, 0.0, 10.0, 5.0])
    near, far = box + torch.tensor([20.0, 0, 20, 0]), box + torch.tensor([40.0, 0, 40, 0])
    assert float(iou(box, box, True)) == pytest.approx(1, abs=1e-4)
    assert 0 > float(iou(box, near, True)) > float(iou(box, far, True))


def test_every_box_has_an_anchor_and_perfect_logits_cost_little() -> None:
    loss = YoloLoss(ANCHORS)
    boxes = torch.tensor([[3.0, 3.0, 4.0, 4.0], [0.0, 0.0, 400.0, 20.0], [20.0, 20.0, 37.0, 26.0]])
    assert loss.matches(boxes).flatten(1).any(1).all()
    blank = [torch.full((1, 18, 64 // s, 64 // s), -12.0) for s in STRIDES]
    assert float(loss(tuple(blank), [torch.zeros(0, 4)]).total) < 0.1
    assert float(loss(tuple(blank), [boxes[2:]]).total) > 5


def test_detections_find_the_one_cell_that_is_sure() -> None:
    outputs = [torch.full((1, 18, 64 // s, 64 // s), -12.0) for s in STRIDES]
    cell = outputs[1].view(1, 3, 6, 8, 8)
    cell[0, 0, :, 2, 3] = torch.tensor([0.0, 0.0, 0.0, 0.0, 9.0, 9.0])
    found = detections(outputs, ANCHORS.float(), 0.5, 0.45)
    assert len(found) == 1
    assert found[0, :4] == pytest.approx([28 - 8, 20 - 3, 28 + 8, 20 + 3], abs=1e-4)


def test_training_learns_and_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    data = samples(60)
    assert any(in_dev(s.name) for s in data)
    settings = TrainSettings(steps=4, batch=2, learning_rate=1e-3, weight_decay=0.0, seed=1, evaluate_every=2)
    train(data, settings, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    state = run.load("last.pt")
    assert state is not None and state["step"] == 4
    longer = TrainSettings(steps=6, batch=2, learning_rate=1e-3, weight_decay=0.0, seed=1, evaluate_every=2)
    train(data, longer, tmp_path / "run")
    rows = run.metrics_file.read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "2", "4", "6"]
    assert all(math.isfinite(float(row.split(",")[1])) for row in rows[1:])
    assert (tmp_path / "run" / "metrics.png").stat().st_size > 1000


def test_a_short_last_interval_has_the_mean_of_its_own_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.training.yolov3.train.SHAPES", (((64, 96), 1.0),))
    losses = {}
    for every in (1, 2):
        settings = TrainSettings(3, 2, 1e-3, weight_decay=0.0, seed=1, evaluate_every=every, device="cpu")
        train(samples(6), settings, tmp_path / str(every))
        rows = (tmp_path / str(every) / "metrics.csv").read_text().splitlines()
        losses[every] = [float(row.split(",")[1]) for row in rows[1:]]
    first, second, third = losses[1]
    assert losses[2] == pytest.approx([(first + second) / 2, third], rel=1e-3)


def test_the_schedule_rises_and_falls() -> None:
    rates = [one_cycle(step, 1000, 1.0, 100) for step in range(1000)]
    assert max(rates) == 1.0 and rates.index(1.0) == 99 and rates[0] < 0.02 and rates[-1] < 0.03


def test_neutral_boxes_are_scaled_as_their_source_draws_them() -> None:
    tightness = Tightness(["loose", "tight"])
    boxes = torch.tensor([[0.0, 0.0, 10.0, 4.0]] * 2)
    assert tightness(boxes, torch.tensor([0, 1])).tolist() == boxes.tolist()
    with torch.no_grad():
        tightness.log_factors.copy_(torch.tensor([[math.log(2.0), 0.0], [-math.log(2.0), 0.0]]))
    assert tightness(boxes, torch.tensor([0, 1])).tolist() == [[-5, 0, 15, 4], [2.5, 0, 7.5, 4]]
    assert tightness.described() == {"loose": [2.0, 1.0], "tight": [0.5, 1.0]}


def test_tightness_is_learnt_from_labels_that_differ() -> None:
    tightness = Tightness(["loose", "tight"])
    loss = YoloLoss(ANCHORS, tightness)
    outputs = [torch.full((2, 18, 64 // s, 64 // s), -12.0) for s in STRIDES]
    outputs[1].view(2, 3, 6, 8, 8)[:, 0, :4] = 0.0
    truth = [torch.tensor([[16.0, 16.0, 40.0, 26.0]]), torch.tensor([[22.0, 19.0, 34.0, 23.0]])]
    loss(tuple(outputs), truth, [torch.tensor([0]), torch.tensor([1])]).box.backward()
    slope = tightness.log_factors.grad
    assert slope is not None and slope[0, 0] < 0 < slope[1, 0]


def test_another_run_s_weights_give_the_same_boxes_with_new_anchors(tmp_path: Path) -> None:
    old, new = YoloV3().eval(), YoloV3().eval()
    changed = ANCHORS * torch.tensor([1.5, 0.5])
    torch.save({"ema": old.state_dict(), "anchors": ANCHORS}, tmp_path / "old.pt")
    assert start_from(tmp_path / "old.pt", new, changed) == len(old.state_dict())
    picture = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        for stride, before, after, one, other in zip(
            STRIDES, old(picture), new(picture), ANCHORS.view(4, 3, 2), changed.view(4, 3, 2), strict=True
        ):
            shape = (1, 3, 6, 64 // stride, 64 // stride)
            a = decode(before.view(shape).permute(0, 1, 3, 4, 2), one.float(), stride)
            b = decode(after.view(shape).permute(0, 1, 3, 4, 2), other.float(), stride)
            assert torch.allclose(a, b, atol=1e-3)
    torch.save({"ema": {"else": torch.zeros(1)}, "anchors": ANCHORS}, tmp_path / "else.pt")
    with pytest.raises(ValueError, match="no weights that fit"):
        start_from(tmp_path / "else.pt", new, changed)


def test_the_exported_float32_file_is_a_checkpoint_as_well(tmp_path: Path) -> None:
    file = MODELS / "yolov3.float32.onnx"
    anchors = torch.tensor(json.loads((MODELS / "yolov3.json").read_text())["anchors"])
    network = YoloV3()
    assert start_from(file, network, anchors) == sum(not name.endswith(COUNTERS) for name in network.state_dict())
    picture = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        own = network.eval()(picture)
    exported = onnxruntime.InferenceSession(str(file)).run(None, {"image": picture.numpy()})
    for before, after in zip(exported, own, strict=True):
        assert torch.allclose(torch.from_numpy(before), after, atol=2e-2)
    alone = tmp_path / "else.onnx"
    alone.write_bytes(file.read_bytes())
    (tmp_path / "else.json").write_text("{}")
    with pytest.raises(ValueError, match="names no anchors"):
        start_from(alone, network, anchors)


def test_a_wider_network_begins_as_the_same_function(tmp_path: Path) -> None:
    narrow = YoloV3(widths=(8, 16, 32, 64, 64), finest=8).eval()
    wide = YoloV3(widths=(12, 24, 40, 80, 64), finest=16).eval()
    torch.save({"ema": narrow.state_dict(), "anchors": ANCHORS}, tmp_path / "narrow.pt")
    assert start_from(tmp_path / "narrow.pt", wide, ANCHORS) == len(narrow.state_dict())
    picture = torch.rand(1, 1, 64, 96)
    with torch.no_grad():
        for before, after in zip(narrow(picture), wide(picture), strict=True):
            assert torch.allclose(before, after, atol=1e-5)
    torch.save({"ema": wide.state_dict(), "anchors": ANCHORS}, tmp_path / "wide.pt")
    kept = start_from(tmp_path / "wide.pt", narrow, ANCHORS)
    assert 0 < kept < len(wide.state_dict())


class OneBox(YoloV3):
    """Finds one box in each picture: the first anchor's, in the middle of a cell of the finest scale."""

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        p4, p8, p16, p32 = (torch.full((1, 18, image.shape[2] // s, image.shape[3] // s), -20.0) for s in STRIDES)
        p4[0, :6, 50, 60] = torch.tensor([0.0, 0.0, 0.0, 0.0, 8.0, 8.0])
        return p4, p8, p16, p32


def test_boxes_that_come_out_too_large_are_scaled_back() -> None:
    anchors = ANCHORS.clone().float()
    anchors[0] = torch.tensor([10.0, 6.0])
    picture = np.zeros((416, 416), np.uint8)

    def plate(width: float, height: float) -> Sample:
        x, y = 242.0, 202.0
        box = [[x - width / 2, y - height / 2, x + width / 2, y + height / 2]]
        return Sample("a.png", "own", picture, np.array(box, np.float32))

    network = OneBox()
    assert fit_sizes(network, anchors, [plate(9.0, 5.5)]) == (1.0, 1.0)  # good enough as it is
    assert fit_sizes(network, anchors, [plate(4.4, 5.9)]) == (0.85, 1.0)  # found with the least width alone
    assert fit_sizes(network, anchors, [Sample("b.png", "own", picture, np.zeros((0, 4), np.float32))]) == (1.0, 1.0)


def test_scaling_the_finest_boxes_moves_nothing_else() -> None:
    network = YoloV3()
    finest = network.head4.predict[1]
    assert isinstance(finest, torch.nn.Conv2d) and finest.bias is not None
    before = finest.bias.detach().clone()
    scale_finest(network, (0.9, 0.85))
    moved = (finest.bias.detach() - before).view(3, 6)
    assert torch.allclose(moved[:, 2:4], torch.tensor([0.9, 0.85]).log().expand(3, 2), atol=1e-6)
    assert float(moved[:, [0, 1, 4, 5]].abs().max()) == 0
