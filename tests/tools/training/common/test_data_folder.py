"""The data folder with pictures that are missing or broken."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.training.common.crops import load_crops, part_of
from tools.training.yolov3.dataset import load

PICTURE = np.full((24, 64), 90, np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder of one whole picture, a broken one and a missing one, in both forms."""
    folder = tmp_path / "plates"
    folder.mkdir()
    cv2.imwrite(str(folder / "whole.png"), PICTURE)
    (folder / "broken.png").write_bytes((folder / "whole.png").read_bytes()[:20])
    names = ["broken.png", "whole.png", "missing.png"]
    images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
    coco = {"images": images, "annotations": [{"image_id": 1, "bbox": [2, 3, 10, 5]}]}
    (folder / "drive_train.json").write_text(json.dumps(coco))
    text = next(text for text in (f"AB{i}" for i in range(100)) if part_of(text, "train") == "train")
    rows = [f"{name},{text},drive,train" for name in names]
    (folder / "texts.csv").write_text("\n".join(["file_name,text,source,split", *rows]) + "\n")
    return tmp_path


def test_pictures_that_cannot_be_read_are_named_counted_and_left_out(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for read in (lambda: load(root, ["drive"]), lambda: load_crops(root, "train")):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "data"):
            (only,) = read()
        assert np.array_equal(only.image, PICTURE)
        assert "broken.png: it is no picture" in caplog.text and "missing.png: it does not exist" in caplog.text
        assert "1 pictures that cannot be read" in caplog.text and "1 pictures missing" in caplog.text
    assert load(root, ["drive"])[0].boxes.tolist() == [[2, 3, 12, 8]]


def test_a_data_folder_without_any_picture_is_an_error(root: Path) -> None:
    (root / "plates" / "whole.png").unlink()
    with pytest.raises(FileNotFoundError, match="can be read"):
        load(root, ["drive"])
    with pytest.raises(FileNotFoundError, match="none of the 3 crops"):
        load_crops(root, "train")
