from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cloud_apis.crnn.postprocess import ALPHABET
from tests.tools.training.datasets.conftest import save_picture
from tests.tools.training.datasets.test_importers import OBJECT, VOC, box, by_name, write_coco
from tools.training.datasets.load import load_material
from tools.training.datasets.pictures import PictureError, read_picture, turn_boxes
from tools.training.datasets.problems import DataError, Kind, Problems
from tools.training.datasets.texts import plate_text


def test_bad_boxes_are_named_counted_and_the_rest_is_used(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write_coco(
        pictures,
        [
            box(0, [50, 16, 40, 10], id=7),
            box(0, [500, 16, 24, 10]),
            box(0, [5, 5, 0, 10]),
            box(0, "wide"),
            box(0, [1, 2, 3]),
            box(0, [float("nan"), 0, 5, 5]),
            box(99),
            box(1, [44, 26, -24, -10]),
        ],
    )
    with caplog.at_level(logging.WARNING, "data"):
        material = load_material([file])
    boxes = by_name(material.samples)
    assert boxes["a.jpg"] == [[50, 16, 64, 26]] and boxes["b.jpg"] == [[20, 16, 44, 26]]
    assert material.problems.counts == {
        Kind.CLIPPED_BOX: 1, Kind.OUTSIDE_BOX: 1, Kind.EMPTY_BOX: 1, Kind.BROKEN_LABEL: 4,
    }  # fmt: skip
    assert f"{file}: image 0" in caplog.text and "50, 16, 90, 26" in caplog.text
    assert "4 labels that cannot be understood" in material.summary()


def test_records_of_wrong_types_are_counted(pictures: Path) -> None:
    images = [{"id": i, "file_name": f"{n}.jpg", "width": 64, "height": 48} for i, n in enumerate("ab")]
    images += [{"id": 8, "file_name": "x" * 300}, {"id": 9, "file_name": "c.jpg", "width": 10**400, "height": 48}]
    categories = [{"id": [1], "name": "car"}, {"id": {}, "name": "car"}, {"id": 2, "name": "number_plate"}]
    annotations: list[object] = [
        box(0),
        box(0, category=[2]),  # type: ignore[arg-type]
        box(1, [20, 16, 10**400, 10]),
        box(8),
        box(9, category=2.0),  # type: ignore[arg-type]
    ]
    material = load_material([write_coco(pictures, annotations, images=images, categories=categories)])
    assert by_name(material.samples) == {"a.jpg": [[20, 16, 44, 26]], "b.jpg": [], "c.jpg": [[20, 16, 44, 26]]}
    assert material.problems.counts == {Kind.BROKEN_LABEL: 4, Kind.MISSING_PICTURE: 1}


def test_names_that_no_file_can_have_are_missing_pictures(pictures: Path) -> None:
    (pictures / "texts.csv").write_text(f"file_name,text\na.jpg,AB1\n{'x' * 300}.jpg,CD2\n")
    material = load_material([pictures / "texts.csv"])
    assert len(material.crops) == 1 and material.problems.counts == {Kind.MISSING_PICTURE: 1}
    plate = OBJECT.format(20, 16, 44, 26, label="plate")
    for name in ("a", "x" * 300):
        (pictures / "images" / f"{name[:5]}.xml").write_text(VOC.format(name=name, objects=plate))
    material = load_material([pictures / "images"])
    assert by_name(material.samples) == {"a.jpg": [[20, 16, 44, 26]]}
    assert material.problems.counts == {Kind.MISSING_PICTURE: 1}


def test_missing_and_broken_pictures_are_named_and_counted(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = (pictures / "images" / "b.jpg").read_bytes()
    (pictures / "images" / "b.jpg").write_bytes(whole[: len(whole) // 2])
    (pictures / "images" / "c.jpg").write_text("no picture")
    (pictures / "images" / "d.jpg").unlink()
    with caplog.at_level(logging.WARNING, "data"):
        material = load_material([write_coco(pictures, [box(0)])])
    assert by_name(material.samples).keys() == {"a.jpg"}
    assert material.problems.counts == {Kind.BROKEN_PICTURE: 2, Kind.MISSING_PICTURE: 1}
    assert all(name in caplog.text for name in ("b.jpg", "c.jpg", "d.jpg"))


def test_many_problems_of_a_kind_are_counted_but_not_all_told(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "data"):
        material = load_material([write_coco(pictures, [box(0), *([box(99)] * 50)])])
    assert material.problems.counts[Kind.BROKEN_LABEL] == 50
    assert caplog.text.count("no image 99") == 5


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "RGBA", "LA", "P", "1", "L", "F"])
def test_pictures_of_any_mode_become_grey(tmp_path: Path, mode: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 64), (32, 1))
    if mode == "I;16":
        picture = Image.fromarray((ramp * 257).astype(np.uint16))
    elif mode == "RGBA":
        alpha = np.full_like(ramp, 255)
        alpha[:16] = 0
        picture = Image.fromarray(np.stack([ramp, ramp, ramp, alpha], axis=2).astype(np.uint8), "RGBA")
    else:
        picture = Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    file = tmp_path / ("x.jpg" if mode == "CMYK" else "x.tif" if mode == "F" else "x.png")
    picture.save(file)
    grey = read_picture(file).image
    assert grey.dtype == np.uint8 and grey.shape == (32, 64)
    if mode == "1":
        assert set(np.unique(grey)) == {0, 255}
    else:
        assert np.abs(grey[31].astype(float) - ramp[31]).max() < 4
    if mode == "RGBA":
        assert (grey[:16] == 255).all()


def test_one_pixel_and_animations_are_pictures(tmp_path: Path) -> None:
    Image.new("L", (1, 1), 7).save(tmp_path / "one.png")
    assert read_picture(tmp_path / "one.png").image.tolist() == [[7]]
    frames = [Image.new("L", (8, 8), shade) for shade in (10, 200)]
    frames[0].save(tmp_path / "many.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "many.gif").image[0, 0] == 10


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "bomb.png")
    content = bytearray((tmp_path / "bomb.png").read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(PictureError, match="too many pixels"):
        read_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("labelled_upright", [True, False])
def test_a_turned_picture_keeps_its_plate_in_the_box(tmp_path: Path, orientation: int, labelled_upright: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    save_picture(tmp_path / "images" / "a.jpg", quality=95, exif=exif)
    stored = np.array([[20.0, 16, 44, 26]])
    upright = turn_boxes(stored, (64, 48), orientation)
    swapped = orientation >= 5
    if not swapped and not labelled_upright:
        return  # the stated size cannot tell: labels are taken as upright
    x0, y0, x1, y1 = (upright if labelled_upright else stored)[0].tolist()
    width, height = (48, 64) if swapped and labelled_upright else (64, 48)
    image = [{"id": 0, "file_name": "a.jpg", "width": width, "height": height}]
    material = load_material([write_coco(tmp_path, [box(0, [x0, y0, x1 - x0, y1 - y0])], images=image)])
    (sample,) = material.samples
    assert sample.image.shape == ((64, 48) if swapped else (48, 64))
    ys, xs = np.nonzero(sample.image > 180)
    hull = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    assert np.abs(sample.boxes[0] - hull).max() <= 1.5


def test_boxes_labelled_at_another_size_are_scaled(pictures: Path) -> None:
    image = [{"id": 0, "file_name": "a.jpg", "width": 128, "height": 96}]
    material = load_material([write_coco(pictures, [box(0, [40, 32, 48, 20])], images=image)])
    assert by_name(material.samples)["a.jpg"] == [[20, 16, 44, 26]]
    assert material.problems.counts == {Kind.OTHER_SIZE: 1}


def test_broken_xml_and_entities_are_counted(pictures: Path) -> None:
    plate = OBJECT.format(20, 16, 44, 26, label="plate")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + VOC.format(name="b", objects="&b;")
    contents = {
        "a": VOC.format(name="a", objects=plate),
        "b": bomb,
        "c": "<annotation><filename>c.jpg",
        "d": VOC.format(name="d", objects=plate.replace("20", "left")),
    }
    for name, content in contents.items():
        (pictures / "images" / f"{name}.xml").write_text(content)
    material = load_material([pictures])
    assert by_name(material.samples) == {"a.jpg": [[20, 16, 44, 26]], "d.jpg": []}
    assert material.problems.counts == {Kind.BROKEN_LABEL: 3}


def test_broken_lines_of_yolo_are_named(pictures: Path, caplog: pytest.LogCaptureFixture) -> None:
    label = pictures / "images" / "a.txt"
    label.write_text("0 0.5 0.4375 0.375 0.20833\nplate 1 2 3 4\n0 320 240 100 50\n0 0.5 0.5\n0.5 0.5 0.5 0.1 0.1\n")
    (pictures / "images" / "z.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    with caplog.at_level(logging.WARNING, "data"):
        material = load_material([pictures])
    assert len(by_name(material.samples)["a.jpg"]) == 1
    assert material.problems.counts == {Kind.BROKEN_LABEL: 4, Kind.MISSING_PICTURE: 1}
    assert f"{label}:2" in caplog.text and f"{label}:5" in caplog.text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("ab-12 cd", "AB12CD"),
        ("А123ВС77", "A123BC77"),  # Cyrillic letters that look like Latin ones
        ("B·AB 1", "BAB1"),
        ("12/34", "12/34"),
        ("/AB1/", "AB1"),
    ],
)
def test_texts_are_brought_to_our_letters(written: str, text: str) -> None:
    problems = Problems()
    assert plate_text(written, "x.csv:2", problems) == text
    assert problems.counts[Kind.REWRITTEN_TEXT] == (written != text)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Ж123ФЯ", Kind.OTHER_LETTERS),
        ("BÖ-AB 1", Kind.OTHER_LETTERS),
        ("Straße", Kind.OTHER_LETTERS),
        ("京A12345", Kind.OTHER_LETTERS),
        (" - ", Kind.EMPTY_TEXT),
        ("A" * 40, Kind.LONG_TEXT),
    ],
)
def test_texts_that_cannot_be_had_are_left_out(written: str, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    with caplog.at_level(logging.WARNING, "data"):
        assert plate_text(written, "x.csv:2", problems) is None
    assert problems.counts == {kind: 1}
    assert "x.csv:2" in caplog.text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_refused_or_in_our_letters(written: str) -> None:
    text = plate_text(written, "x", Problems())
    assert text is None or (text and set(text) <= {*ALPHABET, "/"})


def test_a_csv_with_bad_rows_goes_on(pictures: Path) -> None:
    file = pictures / "texts.csv"
    file.write_text("file_name,text,source\na.jpg,AB1,x\nnone.jpg,AB2,x\nb.jpg\n\nc.jpg,Ж1,x\n", encoding="utf-8")
    material = load_material([file])
    assert [crop.text for crop, _ in material.crops] == ["AB1"]
    assert material.problems.counts == {Kind.MISSING_PICTURE: 1, Kind.BROKEN_LABEL: 1, Kind.OTHER_LETTERS: 1}


@pytest.mark.parametrize("content", ["{", '{"images": 3, "annotations": []}', '{"annotations": [], "images": [}'])
def test_broken_json_is_one_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(DataError, match=r"x\.json"):
        load_material([file])
