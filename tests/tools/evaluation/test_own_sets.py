"""Data sets of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.evaluation.own_sets import own_crops, own_pictures
from tools.training.common.crops import part_of
from tools.training.datasets.problems import DataError, Problems


def write(folder: Path, name: str, files: int) -> None:
    folder.mkdir(exist_ok=True)
    images = [{"id": i, "file_name": f"{name}{i}.png", "width": 40, "height": 30} for i in range(files)]
    boxes = [{"id": i, "image_id": i, "bbox": [1, 2, 10, 4]} for i in range(files)]
    (folder / f"{name}.json").write_text(json.dumps({"images": images, "annotations": boxes}))


def test_a_set_without_val_is_taken_whole_for_it(tmp_path: Path) -> None:
    write(tmp_path, "mine", 60)
    write(tmp_path, "other_val", 3)
    sizes = {
        split: {name: len(labels) for name, labels in own_pictures([tmp_path], split, Problems()).items()}
        for split in ("val", "dev", "train")
    }
    assert sizes["val"] == {"mine": 60, "other_val": 3}
    assert sizes["dev"]["mine"] + sizes["train"]["mine"] == 60
    assert sizes["dev"]["other_val"] == sizes["train"]["other_val"] == 0


def test_texts_are_read_from_csv(tmp_path: Path) -> None:
    rows = "".join(f"{i}.png,ab-{i},{'val' if i < 2 else 'train'}\n" for i in range(80))
    (tmp_path / "mine.csv").write_text(f"file_name,text,split\n{rows}")
    assert [c.text for c in own_crops([tmp_path], "val", Problems())] == ["AB0", "AB1"]
    dev = own_crops([tmp_path / "mine.csv"], "dev", Problems())
    assert [c.text for c in dev] == [f"AB{i}" for i in range(2, 80) if part_of(f"AB{i}", "train") == "dev"]
    assert {c.source for c in dev} <= {"mine"}


def test_a_path_without_a_set_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="COCO"):
        own_pictures([tmp_path], "val", Problems())
