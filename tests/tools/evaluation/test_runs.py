"""Runs over small pictures with detectors and readers whose answers are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cloud_apis.contract import Word
from tools.evaluation.detection import Array
from tools.evaluation.runs import (
    cut,
    detect_all,
    detection_figures,
    end_to_end,
    joined,
    read_all,
    width_names,
)
from tools.evaluation.sets import LabelledPicture, TranscribedCrop

QUAD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def picture(folder: Path, name: str, *plates: tuple[tuple[int, int, int, int], str | None]) -> LabelledPicture:
    """A black picture of 80 by 40 pixels whose plates are white."""
    image = np.zeros((40, 80, 3), np.uint8)
    for (xmin, ymin, xmax, ymax), _ in plates:
        image[ymin:ymax, xmin:xmax] = 255
    path = folder / name
    cv2.imwrite(str(path), image)
    boxes = np.array([box for box, _ in plates], dtype=np.float64).reshape(-1, 4)
    return LabelledPicture(path, "s", 80, 40, boxes, tuple(text for _, text in plates))


def find_white(image: NDArray[np.uint8]) -> Array:
    """Boxes of the white areas; the score falls from left to right, below 0.5 in the right half."""
    contours, _ = cv2.findContours(image[:, :, 0], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = [cv2.boundingRect(contour) for contour in contours]
    return np.array([(x, y, x + w, y + h, 1 - x / 80) for x, y, w, h in areas], float).reshape(-1, 5)


def read_size(crop: NDArray[np.uint8]) -> tuple[Word, ...]:
    """Reads a crop's width and height as a plate of two lines."""
    height, width = crop.shape[:2]
    return (
        Word(f"W{width}", QUAD, tuple(0.9 for _ in f"W{width}")),
        Word(f"H{height}", QUAD, tuple(0.7 for _ in f"H{height}")),
    )


def test_detection_figures_over_pictures(tmp_path: Path) -> None:
    pictures = [
        picture(tmp_path, "a.png", ((4, 4, 24, 12), "W20/H8"), ((60, 4, 70, 10), None)),
        picture(tmp_path, "b.png"),
    ]
    result = detection_figures(pictures, detect_all(find_white, pictures), net_px=160, threshold=0.5)
    assert (result.pictures, result.plates) == (2, 2)
    assert result.ap50 == result.ap50_95 == 1.0
    assert (result.recall.found, result.recall.plates) == (1, 2)
    assert [r.plates for r in result.recall_by_width] == [0, 0, 1, 1]
    assert [r.found for r in result.recall_by_width] == [0, 0, 0, 1]
    assert result.false_boxes_per_picture == 0.0


def test_crops_are_read_and_lines_joined(tmp_path: Path) -> None:
    for name, width in (("0.png", 30), ("1.png", 31)):
        cv2.imwrite(str(tmp_path / name), np.zeros((9, width, 3), np.uint8))
    crops = [
        TranscribedCrop(tmp_path / "0.png", "s", "W30/H9"),
        TranscribedCrop(tmp_path / "1.png", "t", "W30/H9"),
    ]
    first, second = read_all(read_size, crops)
    assert first.exact
    assert not second.exact
    assert (first.text, first.confidence, second.source) == ("W30H9", 0.7, "t")


def test_end_to_end_by_hand(tmp_path: Path) -> None:
    pictures = [
        picture(
            tmp_path,
            "a.png",
            ((4, 4, 24, 12), "W20H8"),  # found, read
            ((30, 4, 40, 12), "W11H8"),  # found, misread
            ((4, 20, 24, 30), None),  # found, not transcribed
            ((60, 4, 70, 10), "W10H6"),  # below the threshold
        )
    ]
    result = end_to_end(find_white, read_size, pictures, box_threshold=0.5, read_threshold=0.6, margin=0)
    assert (result.pictures, result.plates, result.found, result.exact) == (1, 3, 2, 1)
    assert (result.shown, result.wrong) == (2, 1)
    strict = end_to_end(find_white, read_size, pictures, box_threshold=0.5, read_threshold=0.8, margin=0)
    assert (strict.exact, strict.shown, strict.wrong) == (1, 0, 0)


def test_a_cut_is_widened_and_stays_in_the_picture() -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    assert cut(image, np.array([10.0, 10, 30, 20]), 0.1).shape == (12, 24, 3)
    assert cut(image, np.array([0.0, 0, 80, 40]), 0.5).shape == (40, 80, 3)


def test_words_without_text_do_not_lower_the_confidence() -> None:
    assert joined([Word("A", QUAD, (0.9,)), Word("", QUAD, ())]) == ("A", 0.9)
    assert joined([]) == ("", 0.0)


def test_names_of_widths() -> None:
    assert width_names() == ("<12", "12–20", "20–40", "≥40")


def test_a_lost_picture_is_an_error(tmp_path: Path) -> None:
    lost = LabelledPicture(tmp_path / "lost.png", "s", 80, 40, np.zeros((0, 4)), ())
    with pytest.raises(OSError, match="lost"):
        detect_all(find_white, [lost])
