"""Filter and crop: what a scorer doubts goes out, the largest car or truck is cut, originals stay as they are."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.cloud_apis import tiny_models
from tests.cloud_apis.vehicles.test_detector import colour_model
from tests.tools.dataset.catalogues import jpeg, scene, write
from tools.dataset.cli import main
from tools.dataset.cropping import cut_out, largest
from tools.dataset.errors import DatasetError
from tools.dataset.filtering import best_scorer, load_scorer
from tools.dataset.manifest import Manifest
from tools.dataset.pictures import read_colour
from tools.dataset.scoring.finder import LabelFinder, ModelFinder, Vehicle
from tools.dataset.scoring.scorer import shipped_fit
from tools.dataset.scoring.vehicles import VehicleFeatures

LABELS = ["car", "truck", "bus", "motorcycle"]


def run(*words: object) -> int:
    return main([str(word) for word in words])


def results(work: Path, step: str) -> dict[str, tuple[str, str | None]]:
    db = sqlite3.connect(work / "manifest.sqlite")
    query = "SELECT f.path, r.action, r.reason FROM files f JOIN results r ON r.file = f.id WHERE r.step = ?"
    told = {path.decode(): (action, reason) for path, action, reason in db.execute(query, (step,))}
    db.close()
    return told


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    for i in range(3):
        write(root, f"a/b/2001/1/{i}.jpg", jpeg(scene(i, 320, 240)))
    assert run("repair", root, "--work", tmp_path / "work", "--processes", 1) == 0
    return root


def test_the_shipped_scorer_sees_no_cars_in_patches(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert run("filter", "--work", work, "--scorer", "plain", "--processes", 1, "--quarantine") == 0
    assert set(results(work, "filter").values()) == {("out", "no car")}
    assert len(list((work / "quarantine" / "filter").rglob("*.jpg"))) == 3
    assert run("restore", "--work", work, "--step", "filter") == 0
    assert run("filter", "--work", work, "--scorer", "plain", "--threshold", 0, "--processes", 1, "--again") == 0
    assert set(results(work, "filter").values()) == {("kept", None)}
    assert run("filter", "--work", work, "--threshold", 7) == 2


def test_a_missing_model_is_told_before_anything_begins(root: Path, tmp_path: Path) -> None:
    empty = tmp_path / "models"
    empty.mkdir()
    assert best_scorer(empty)[0] == "plain"
    assert run("filter", "--work", tmp_path / "work", "--scorer", "vehicles", "--models", empty) == 1
    assert run("crop", "--work", tmp_path / "work", "--models", empty) == 1
    assert results(tmp_path / "work", "filter") == {}
    with pytest.raises(DatasetError, match="no scorer"):
        load_scorer("magic")


def test_the_detector_judges_where_it_can_be_used(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, empty = tmp_path / "work", tmp_path / "models"
    empty.mkdir()
    command = ["filter", "--work", work, "--processes", 1]
    assert run(*command, "--models", empty, "--dry-run") == 0
    assert "scorer: plain (without the detector, for there is no" in capsys.readouterr().out
    assert run(*command, "--scorer", "plain", "--dry-run") == 0
    assert "scorer: plain (as asked)" in capsys.readouterr().out
    assert run(*command) == 0
    assert "scorer: vehicles (the detector is there)" in capsys.readouterr().out
    assert set(results(work, "filter").values()) == {("out", "no car")}


def test_without_onnxruntime_the_plain_scorer_judges(root: Path, tmp_path: Path) -> None:
    without = "import sys; sys.modules['onnxruntime'] = None; from tools.dataset.cli import main; sys.exit(main())"
    options = ["--work", str(tmp_path / "work"), "--processes", "1"]
    command = [sys.executable, "-c", without]
    done = subprocess.run([*command, "filter", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "scorer: plain (without the detector, for onnxruntime cannot be imported" in done.stdout
    done = subprocess.run([*command, "crop", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the detector of vehicles cannot be used" in done.stderr


def test_a_fit_of_other_features_is_told(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit = shipped_fit("plain")
    assert run("filter", "--work", tmp_path / "work", "--scorer", "vehicles", "--fit", fit, "--processes", 1) == 1
    assert "fitted on other features" in capsys.readouterr().err
    assert results(tmp_path / "work", "filter") == {}


def test_again_counts_what_it_forgets(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert run("filter", "--work", work, "--scorer", "plain", "--processes", 1) == 0
    with Manifest(work / "manifest.sqlite") as manifest:
        assert (manifest.todo("filter"), manifest.todo("crop")) == (0, 0)
        assert (manifest.todo("filter", again=True), manifest.todo("crop", again=True)) == (3, 0)


def boxes(root: Path, file: Path) -> None:
    """Labels: in the first picture a small car and a large truck, in the second a bus, in the third nothing."""
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 70, 70]},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [100, 50, 200, 100]},
        {"id": 3, "image_id": 2, "category_id": 3, "bbox": [0, 0, 300, 200]},
    ]
    images = [
        {"id": i + 1, "file_name": str(root / f"a/b/2001/1/{i}.jpg"), "width": 320, "height": 240} for i in range(3)
    ]
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)]
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def test_the_largest_car_or_truck_is_cut(root: Path, tmp_path: Path) -> None:
    work, labels = tmp_path / "work", tmp_path / "labels.json"
    boxes(root, labels)
    before = {path: path.read_bytes() for path in root.rglob("*.jpg")}
    command = ["crop", "--work", work, "--boxes", labels, "--processes", 1]
    assert run(*command, "--dry-run") == 0
    assert not (work / "crops").exists()
    assert run(*command) == 0
    assert results(work, "crop") == {
        "a/b/2001/1/0.jpg": ("made", "truck"),
        "a/b/2001/1/1.jpg": ("out", "no vehicle"),
        "a/b/2001/1/2.jpg": ("out", "no vehicle"),
    }
    (made,) = (work / "crops").rglob("*.jpg")
    cut = cv2.imread(str(made))
    assert cut is not None
    assert cut.shape == (110, 220, 3)
    whole = cv2.imread(str(root / "a/b/2001/1/0.jpg"))
    assert whole is not None
    assert np.abs(cut.astype(int) - whole[45:155, 90:310]).mean() < 6
    assert {path: path.read_bytes() for path in root.rglob("*.jpg")} == before
    assert run("merge", "--work", work) == 0
    assert run("split", "--work", work, "--least", 1, "--shares", "100/0/0") == 0
    assert str(made) in (work / "split" / "train.csv").read_text()


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_of_grey_become_eight(tmp_path: Path, ending: str) -> None:
    grey = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(grey).save(tmp_path / f"deep.{ending}")
    read = read_colour(os.fsencode(tmp_path), f"deep.{ending}".encode())
    assert read.shape == (64, 64, 3)
    assert np.abs(read.astype(float) - (grey / 257)[:, :, None]).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_can_be_seen_through_is_white(tmp_path: Path, mode: str) -> None:
    if mode == "P":  # one colour of the palette is clear
        picture = Image.new("P", (64, 64), 1)
        picture.putpalette([0, 0, 0, 0, 0, 0])
        picture.paste(0, (0, 0, 32, 64))
        picture.save(tmp_path / "clear.png", transparency=1)
    else:
        picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
        picture.paste((0, 0, 0, 255), (0, 0, 32, 64))
        picture.convert(mode).save(tmp_path / "clear.png")
    read = read_colour(os.fsencode(tmp_path), b"clear.png")
    assert read[:, :32].max() == 0
    assert read[:, 32:].min() == 255


def test_crops_may_not_lie_among_the_pictures(root: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    boxes(root, labels)
    assert run("crop", "--work", tmp_path / "work", "--boxes", labels, "--output", root / "crops") == 2


@pytest.mark.parametrize("stated", [(320, 240), (240, 320), (120, 160), None])
def test_boxes_go_with_the_picture_as_it_is_turned(tmp_path: Path, stated: tuple[int, int] | None) -> None:
    stored = np.zeros((240, 320, 3), np.uint8)
    stored[40:100, 200:300] = (0, 0, 255)
    exif = Image.Exif()
    exif[274] = 6  # shown turned by a quarter, clockwise: 240 x 320
    Image.fromarray(stored[:, :, ::-1]).save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    upright = [140, 200, 60, 100]
    box = {(320, 240): [200, 40, 100, 60], (120, 160): [70, 100, 30, 50]}.get(stated or (0, 0), upright)
    size = {} if stated is None else {"width": stated[0], "height": stated[1]}
    labels = {
        "images": [{"id": 1, "file_name": "turned.jpg", **size}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box}],
        "categories": [{"id": 1, "name": "car"}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    image = read_colour(os.fsencode(tmp_path), b"turned.jpg")
    (found,) = LabelFinder(tmp_path, tmp_path / "labels.json").find(image, b"turned.jpg")
    assert found == Vehicle("car", 1.0, (140, 200, 200, 300))
    cut = cut_out(image, found, 0)
    assert cut.shape == (100, 60, 3)
    assert cut[5:-5, 5:-5].min(axis=(0, 1)).tolist()[2] > 200


def test_boxes_are_clipped_and_others_left() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    car, bus = Vehicle("car", 0.5, (150, 50, 260, 140)), Vehicle("bus", 0.9, (0, 0, 200, 100))
    assert largest((bus, car)) == car
    assert largest((bus,)) is None
    assert cut_out(image, car, 0.1).shape == (59, 61, 3)


def test_the_detector_finds_as_the_apis_do(tmp_path: Path) -> None:
    network = colour_model(0.8)  # calls what is bright and red a bus
    fields = {"labels": LABELS, "anchors": tiny_models.ANCHORS, "strides": [8, 16, 32]}
    tiny_models.write(tmp_path, "vehicles", network, **fields)  # type: ignore[arg-type]
    image = np.zeros((416, 416, 3), np.uint8)
    finder = ModelFinder(tmp_path)
    assert finder.find(image) == ()
    image[192:224, 192:224] = (0, 0, 255)
    (found,) = finder.find(image)
    assert found.label == "bus"
    assert found.corners[0] < 208 < found.corners[2]
    assert VehicleFeatures(finder).of(image).tolist() == [0.0] * 7  # no car, no truck
    assert best_scorer(tmp_path) == ("vehicles", "the detector is there")


class Always:
    """A finder that sees the same everywhere."""

    def __init__(self, *vehicles: Vehicle) -> None:
        self.vehicles = vehicles

    def find(self, image: NDArray[np.uint8], path: bytes) -> tuple[Vehicle, ...]:
        return self.vehicles


def test_a_box_that_leaves_the_picture_on_all_sides_is_a_detail() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    close = VehicleFeatures(Always(Vehicle("car", 0.9, (0, 0, 200, 100))))
    assert close.of(image)[:3].tolist() == [4.0, 1.0, 0.9]
    assert close.why(close.of(image)) == "detail"
    whole = VehicleFeatures(Always(Vehicle("truck", 0.8, (20, 10, 180, 90)), Vehicle("car", 0.5, (0, 0, 9, 9))))
    assert whole.of(image)[:3].tolist() == [0.0, 0.64, 0.8]
    assert whole.why(whole.of(image)) == "no car"
