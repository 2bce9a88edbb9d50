from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract import crnn_answer, parse_crnn_answer, plate_text
from cloud_apis.craft.finder import LineFinder
from cloud_apis.crnn.calibration import Line
from cloud_apis.crnn.postprocess import LineReading, read_line
from cloud_apis.crnn.preprocess import expand_quad
from cloud_apis.errors import StartError
from cloud_apis.reader import load_reader, registration_lines
from cloud_apis.settings import load_settings
from tests.cloud_apis import tiny_models
from tests.cloud_apis.pictures import crop
from tests.cloud_apis.serving import tiny_settings


def test_words_belong_to_their_crops(models: Path) -> None:
    reader = load_reader(models, tiny_settings(models))
    read = reader.read([np.zeros((20, 60), np.uint8), crop(), np.zeros((9, 9), np.uint8), crop()])
    assert [[w.text for w in words] for words in read] == [[], ["1"], [], ["1"]]
    assert read[1] == read[3]
    assert parse_crnn_answer(crnn_answer(read), 4) == tuple(read)
    assert reader.read([]) == []


def test_a_crop_without_a_line_is_read_as_a_whole(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = load_reader(models, tiny_settings(models))
    monkeypatch.setattr(LineFinder, "find", lambda self, crops: [[] for _ in crops])
    ((word,),) = reader.read([np.full((40, 160), 255, np.uint8)])
    assert word.text == "1"
    assert np.array(word.quad).mean(axis=0).tolist() == pytest.approx([79.5, 19.5])
    edges = expand_quad(np.array(word.quad, np.float32))
    assert edges.tolist() == [
        pytest.approx(p, abs=0.02) for p in ([-0.5, -0.5], [159.5, -0.5], [159.5, 39.5], [-0.5, 39.5])
    ]


def line_of(*sure: float) -> LineReading:
    """A line on which characters are read with these probabilities."""
    steps = [np.eye(1, 37)[0]]
    for number, probability in enumerate(sure):
        steps += [np.full(37, (1 - probability) / 36), np.eye(1, 37)[0]]
        steps[-2][10 + number] = probability
    return read_line(np.log(np.array(steps) + 1e-9).astype(np.float32))


def test_lines_that_say_little_beside_a_sure_one_are_left_out() -> None:
    plate, other, faint, empty = line_of(0.99, 0.95), line_of(0.9, 0.4), line_of(0.6), line_of()
    kept, doubt = registration_lines([other, plate])
    assert kept == [1]
    assert doubt == pytest.approx(0.4, abs=0.01)
    assert registration_lines([faint, plate]) == ([0, 1], 0.0)
    assert registration_lines([empty, plate]) == ([0, 1], 0.0)
    assert registration_lines([empty, other]) == ([0, 1], 0.0)
    assert registration_lines([other, faint]) == ([0, 1], 0.0)
    assert registration_lines([]) == ([], 0.0)


def test_real_plates_are_read(trained_models: Path, shared_data: Path) -> None:
    reader = load_reader(trained_models, load_settings())
    folder = shared_data / "plates"
    with (folder / "texts.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "val"][:60]
    right = 0
    for row in rows:
        crop = cv2.imread(str(folder / row["file_name"]), cv2.IMREAD_GRAYSCALE)
        assert crop is not None
        (words,) = reader.read([crop.astype(np.uint8)])
        right += plate_text(words) == row["text"].replace("/", "")
    assert right >= 0.5 * len(rows)


def test_confidences_are_calibrated_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "craft", tiny_models.craft())
    line = {"scale": 0.5, "offset": -1.0}
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), calibration={"character": line, "plate": line})
    ((raw,),) = load_reader(tmp_path, tiny_settings(tmp_path, crnn__calibrated=False)).read([crop()])
    ((word,),) = load_reader(tmp_path, tiny_settings(tmp_path)).read([crop()])
    assert (raw.text, raw.quad) == (word.text, word.quad)
    assert raw.plate_confidence is not None
    assert word.plate_confidence == pytest.approx(Line.model_validate(line).apply(raw.plate_confidence), abs=0.01)
    assert word.confidences[0] < raw.confidences[0]


def test_a_calibration_that_does_not_rise_is_refused(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "craft", tiny_models.craft())
    flat = {"scale": 0.0, "offset": 0.0}
    tiny_models.write(tmp_path, "crnn", tiny_models.crnn(), calibration={"character": flat, "plate": flat})
    with pytest.raises(StartError, match=r"crnn.json: calibration.character.scale"):
        load_reader(tmp_path, tiny_settings(tmp_path))


def test_an_unknown_region_is_refused(models: Path) -> None:
    with pytest.raises(StartError, match="no region 'XX'"):
        load_reader(models, tiny_settings(models, crnn__regions=["XX"]))
