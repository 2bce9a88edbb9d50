from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.tools.training.datasets.conftest import save_picture
from tools.training.datasets.find import Form, find_sets
from tools.training.datasets.load import load_material
from tools.training.datasets.problems import DataError, Kind
from tools.training.yolov3.dataset import Sample

PLATE = [20, 16, 24, 10]
VOC = """<annotation><folder>x</folder><filename>{name}.jpg</filename><size><width>64</width><height>48</height>
<depth>3</depth></size>{objects}</annotation>"""
OBJECT = """<object><name>{label}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax>
</bndbox></object>"""


def write_coco(folder: Path, annotations: list[object], name: str = "plates.json", **changes: object) -> Path:
    content = {
        "images": [{"id": i, "file_name": f"{n}.jpg", "width": 64, "height": 48} for i, n in enumerate("abcd")],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "number_plate"}],
    } | changes
    file = folder / name
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def box(image: object, bbox: object = PLATE, category: int = 2, **more: object) -> dict[str, object]:
    return {"image_id": image, "bbox": bbox, "category_id": category, **more}


def by_name(samples: list[Sample]) -> dict[str, list[list[float]]]:
    return {sample.name.rsplit("/", 1)[-1]: np.round(sample.boxes, 2).tolist() for sample in samples}


def test_coco_gives_pictures_boxes_and_texts(pictures: Path) -> None:
    file = write_coco(pictures, [box(0, text="ab-12 cd"), box("1"), box(2, [0, 0, 60, 40], category=1)])
    assert [(found.form, found.path) for found in find_sets(pictures)] == [(Form.COCO, file)]
    material = load_material([pictures])
    boxes = by_name(material.samples)
    assert boxes == {"a.jpg": [[20, 16, 44, 26]], "b.jpg": [[20, 16, 44, 26]], "c.jpg": [], "d.jpg": []}
    ((crop, _),) = material.crops
    assert crop.text == "AB12CD" and crop.image.shape == (12, 26)
    assert material.problems.counts == {Kind.OTHER_CLASS: 1, Kind.REWRITTEN_TEXT: 1}


def test_voc_gives_pictures_and_boxes(pictures: Path) -> None:
    folder = pictures / "Annotations"
    folder.mkdir()
    plate = OBJECT.format(20, 16, 44, 26, label="licence")
    for name in "ab":
        (folder / f"{name}.xml").write_text(VOC.format(name=name, objects=plate + plate.replace("20", "2")))
    (folder / "c.xml").write_text(VOC.format(name="another-machine", objects=""))
    lists = pictures / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("b\n")
    assert [found.form for found in find_sets(pictures)] == [Form.VOC]
    material = load_material([pictures])
    assert by_name(material.samples) == {"a.jpg": [[20, 16, 44, 26], [2, 16, 44, 26]], "c.jpg": []}
    assert not material.problems.counts


@pytest.mark.parametrize("description", ["data.yaml", "obj.names", None])
def test_yolo_gives_pictures_and_boxes(pictures: Path, description: str | None) -> None:
    labels = pictures / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("1 0.5 0.4375 0.375 0.20833\n")
    (labels / "b.txt").write_text("")
    (labels / "c.txt").write_text("1 0.3125 0.3333 0.6875 0.3333 0.6875 0.5417 0.3125 0.5417\n")
    if description == "data.yaml":
        (pictures / description).write_text("train: images\nval: images\nnames: {0: car, 1: plate}\n")
    elif description:
        (pictures / description).write_text("car\nplate\n")
    assert [found.form for found in find_sets(pictures)] == [Form.YOLO]
    boxes = by_name(load_material([pictures]).samples)
    assert boxes.keys() == {"a.jpg", "b.jpg", "c.jpg"} and not boxes["b.jpg"]
    for name in ("a.jpg", "c.jpg"):
        assert np.allclose(boxes[name], [[20, 16, 44, 26]], atol=0.05)


def test_texts_are_read_whatever_the_columns_order(pictures: Path) -> None:
    (pictures / "mine.csv").write_text("text;file_name;split\nB 123 CD;a.jpg;train\nXX1;b.jpg;val\n1/2;c.jpg;\n")
    material = load_material([pictures / "mine.csv"])
    assert [(crop.file_name, crop.text, crop.lines) for crop, _ in material.crops] == [
        ("a.jpg", "B123CD", ("B123CD",)),
        ("c.jpg", "1/2", ("1", "2")),
    ]


def test_pictures_of_the_val_part_are_not_taken(pictures: Path) -> None:
    for split in ("train", "valid"):
        save_picture(pictures / split / f"{split}.jpg")
        image = [{"id": 0, "file_name": f"{split}.jpg", "width": 64, "height": 48}]
        write_coco(pictures / split, [box(0)], "_annotations.coco.json", images=image)
    assert by_name(load_material([pictures]).samples).keys() == {"train.jpg"}


def test_the_class_must_be_clear_or_named(pictures: Path) -> None:
    classes = [{"id": 1, "name": "car"}, {"id": 2, "name": "Schild"}]
    write_coco(pictures, [box(0), box(1, category=1)], categories=classes)
    with pytest.raises(DataError, match=r"Schild, car; name it with --label"):
        load_material([pictures])
    with pytest.raises(DataError, match=r"no class is called 'bus'"):
        load_material([pictures], label="bus")
    assert by_name(load_material([pictures], label="Schild").samples)["b.jpg"] == []


def test_nothing_usable_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"COCO JSON.*VOC.*YOLO.*file_name and text"):
        load_material([tmp_path])
    with pytest.raises(DataError, match="does not exist"):
        load_material([tmp_path / "nowhere"])
    write_coco(tmp_path, [box(0)])
    with pytest.raises(DataError, match=r"nothing usable in .*4 pictures missing"):
        load_material([tmp_path])
