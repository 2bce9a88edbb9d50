"""Our models beside peers, with tiny networks and peers that are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from tests.cloud_apis import tiny_models
from tools.bench import models, models_command
from tools.bench.cli import main
from tools.bench.figures import timing
from tools.bench.peers import Peer
from tools.bench.samples import Samples
from tools.evaluation import parts

PHOTO = np.zeros((416, 416, 3), np.uint8)
PHOTO[192:224, 192:224] = 255
WHITE = np.full((96, 192, 3), 255, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_models.write_all(tmp_path)
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3(), anchors=tiny_models.ANCHORS, labels=["license-plate"])
    return tmp_path


@pytest.fixture
def small_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny network in the place of the full YOLOv3, and a peer that reads the same on every crop."""
    blind = Peer("reader", lambda crop: "2", 1_000_000)
    monkeypatch.setattr(models, "yolov3", _three_channels)
    monkeypatch.setattr(models, "rapidocr_peers", lambda threads: iter([blind]))


def _three_channels() -> ModelProto:
    model = tiny_models.crnn()
    for dimension, size in zip(model.graph.input[0].type.tensor_type.shape.dim, (1, 3, 416, 416), strict=True):
        dimension.dim_value = size
    del model.graph.node[:], model.graph.output[:], model.graph.initializer[:]
    model.graph.node.append(helper.make_node("Identity", ["image"], ["out"]))
    model.graph.output.append(helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, 416, 416]))
    return model


def test_detectors_and_readers_are_timed_on_the_same_items(folder: Path, small_peers: None) -> None:
    chosen = parts.settings(None, models=folder)
    photos = [PHOTO, PHOTO[:200]]
    rows = [*models.detectors(chosen, photos, threads=1, repeats=2), models.peer_detector(photos, threads=1)]
    assert [(r.name, r.items, r.wall.repeats, r.reference) for r in rows] == [
        (models.OUR_DETECTOR, 2, 4, False),
        (models.OUR_STEP, 2, 4, False),
        (models.PEER_DETECTOR, 2, 2, True),
    ]
    crops = [(WHITE, "1"), (WHITE, "2")]
    read = [models.reader(chosen, crops, threads=1, repeats=1), *models.peer_readers(crops, threads=1)]
    assert [(r.name, r.exact, r.reference) for r in read] == [
        (models.OUR_READER, 1, False),
        ("reader, 1.0 MB", 1, True),
    ]


def test_photos_a_second(folder: Path) -> None:
    chosen = parts.settings(None, models=folder)
    found = models.throughput(chosen, [PHOTO, np.zeros_like(PHOTO)], workers=2, repeats=3)
    assert (found.workers, found.photos, found.plates) == (2, 6, 3)
    assert found.rate_hz == pytest.approx(6 / found.seconds)


def test_shares_are_of_as_many_threads() -> None:
    def row(name: str, threads: int, seconds: float, *, reference: bool = False) -> models.Row:
        return models.Row(name, threads, timing([seconds]), timing([2 * seconds]), 1, reference=reference)

    rows = [row("ours", 1, 0.01), row("ours", 2, 0.01), row("peer", 1, 0.5, reference=True), row("other", 1, 1)]
    (only,) = models.shares(rows, "ours")
    assert (only.reference, only.threads) == ("peer", 1)
    assert only.wall == only.cpu == pytest.approx(0.02)


def test_the_command_prints_and_writes_everything(
    folder: Path,
    small_peers: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def few(split: str, photos: int, crops: int) -> Samples:
        return Samples((PHOTO,) * photos, ((WHITE, "1"),) * crops, f"split {split}")

    monkeypatch.setattr(models_command, "samples", few)
    monkeypatch.setattr(models_command, "missing", lambda: ["rapidocr"])
    for name, model in (("yolov3", tiny_models.yolov3()), ("craft", tiny_models.craft()), ("crnn", tiny_models.crnn())):
        (folder / f"{name}.float32.onnx").write_bytes(model.SerializeToString())
    file = tmp_path / "figures.json"
    argv = ["models", "--models", str(folder), "--photos", "2", "--crops", "3", "--repeats", "1", "--json", str(file)]
    assert main([*argv, "--split", "dev", "--float32", str(folder)]) == 0
    body = json.loads(file.read_text())["models"]
    assert {r["threads"] for r in body["detectors"]} == {r["threads"] for r in body["readers"]} == {1, 2}
    assert [r["exact"] for r in body["readers"] if r["name"] == models.OUR_READER] == [3, 3]
    assert sum(r["name"] == f"{models.OUR_READER}, float32" for r in body["readers"]) == 2
    assert {s["name"] for s in body["shares"]} == {models.OUR_DETECTOR, models.OUR_READER}
    assert [t["workers"] for t in body["throughput"]] == [1, 2]
    printed = capsys.readouterr().out
    assert "tools/install.sh bench" in printed
    assert "split dev" in printed


def test_missing_models_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--models", str(tmp_path)]) == 2
    assert "yolov3.onnx does not exist" in capsys.readouterr().err
