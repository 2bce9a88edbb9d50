"""Runs over small pictures with detectors and readers whose answers are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cloud_apis.contract import Word
from tools.evaluation.detection import Array
from tools.evaluation.endtoend import NoAnswerError, Seen, figures, joined, parts_system, run
from tools.evaluation.runs import Read, cut, detect_all, detection_figures, read_all, read_of, width_names
from tools.evaluation.sets import LabelledPicture, TranscribedCrop
from tools.training.datasets.problems import Kind, Problems

QUAD = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def picture(
    name: str, *plates: tuple[tuple[int, int, int, int], str | None]
) -> tuple[LabelledPicture, NDArray[np.uint8]]:
    """A black picture of 80 by 40 pixels whose plates are white."""
    image = np.zeros((40, 80, 3), np.uint8)
    for (xmin, ymin, xmax, ymax), _ in plates:
        image[ymin:ymax, xmin:xmax] = 255
    boxes = np.array([box for box, _ in plates], dtype=np.float64).reshape(-1, 4)
    return LabelledPicture(Path(name), "s", 80, 40, boxes, tuple(text for _, text in plates)), image


def find_white(image: NDArray[np.uint8]) -> Array:
    """Boxes of the white areas; the score falls from left to right, below 0.5 in the right half."""
    contours, _ = cv2.findContours(image[:, :, 0], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = [cv2.boundingRect(contour) for contour in contours]
    return np.array([(x, y, x + w, y + h, 1 - x / 80) for x, y, w, h in areas], float).reshape(-1, 5)


def read_size(crop: NDArray[np.uint8]) -> Read:
    """Reads a crop's width and height as a plate of two lines."""
    height, width = crop.shape[:2]
    words = (
        Word(f"W{width}", QUAD, tuple(0.9 for _ in f"W{width}")),
        Word(f"H{height}", QUAD, tuple(0.7 for _ in f"H{height}")),
    )
    return read_of(words)


def test_detection_figures_over_pictures() -> None:
    pictures = [picture("a.png", ((4, 4, 24, 12), "W20/H8"), ((60, 4, 70, 10), None)), picture("b.png")]
    result = detection_figures(*detect_all(find_white, pictures), net_px=160, threshold=0.5)
    assert (result.pictures, result.plates) == (2, 2)
    assert result.ap50 == result.ap50_95 == 1.0
    assert (result.recall.found, result.recall.plates) == (1, 2)
    assert [r.plates for r in result.recall_by_width] == [0, 0, 1, 1]
    assert [r.found for r in result.recall_by_width] == [0, 0, 0, 1]
    assert result.false_boxes_per_picture == 0.0
    assert (result.without_plates, result.false_without_plates) == (1, 0.0)


def test_false_boxes_on_pictures_without_plates_are_counted_apart() -> None:
    labelled, image = picture("a.png", ((4, 4, 24, 12), None), ((30, 4, 40, 12), None))
    blank = LabelledPicture(labelled.path, "s", 80, 40, np.zeros((0, 4)), ())
    result = detection_figures(*detect_all(find_white, [(labelled, image), (blank, image)]), net_px=80, threshold=0.5)
    assert (result.without_plates, result.false_without_plates) == (1, 2.0)
    assert result.false_boxes_per_picture == 1.0


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
    assert first.characters == (0.9, 0.9, 0.9, 0.7, 0.7)
    assert first.quads == (QUAD, QUAD)


def test_lost_crops_are_counted_and_the_run_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((9, 30, 3), np.uint8))
    (tmp_path / "2.png").write_bytes(b"no picture")
    crops = [TranscribedCrop(tmp_path / f"{i}.png", "s", "W30/H9", f"texts.csv:{i}") for i in range(3)]
    problems = Problems()
    assert [r.exact for r in read_all(read_size, crops, problems)] == [True]
    assert problems.counts == {Kind.MISSING_PICTURE: 1, Kind.BROKEN_PICTURE: 1}
    assert "texts.csv:0" in caplog.text
    assert "2.png" in caplog.text


PLATES = picture(
    "a.png",
    ((4, 4, 24, 12), "W20/H8"),  # found, read
    ((30, 4, 40, 12), "W11H8"),  # found, misread
    ((4, 20, 24, 30), None),  # found, not transcribed
    ((60, 4, 70, 10), "W10H6"),  # below the threshold
)


def test_end_to_end_by_hand() -> None:
    system = parts_system(find_white, read_size, threshold=0.5, margin=0)
    result = run(system, [PLATES])
    loose, strict = figures(result, 0.6), figures(result, 0.8)
    assert (loose.pictures, loose.plates, loose.found, loose.exact, loose.anywhere) == (1, 3, 2, 1, 1)
    assert (loose.shown, loose.wrong, loose.ghosts, loose.unanswered) == (2, 1, 0, 0)
    assert (strict.exact, strict.shown, strict.wrong) == (1, 0, 0)
    crops = [None if p.crop is None else p.crop.shape for p in result.plates]
    assert crops[0] is None
    assert crops[1] == (12, 14, 3)
    both = figures(joined([result, result]), 0.6)
    assert (both.pictures, both.plates, both.shown, both.wrong) == (2, 6, 4, 2)


def test_lines_of_a_failure_lie_in_its_picture() -> None:
    result = run(parts_system(find_white, read_size, threshold=0.5, margin=0.1), [PLATES])
    misread = next(p for p in result.plates if p.crop is not None and p.reading.quads)
    # Read in a crop that begins at (2, 3), a tenth around the first box; shown in one from (0, 2) on.
    assert misread.reading.quads[0] == tuple((x + 2, y + 1) for x, y in QUAD)


def test_texts_that_do_not_count_are_left_out() -> None:
    system = parts_system(find_white, read_size, threshold=0.5, margin=0)
    result = run(system, [PLATES], lambda text: text == "W20/H8")
    assert [p.reading.exact for p in result.plates] == [True]


def test_reads_beside_plates_and_in_other_boxes() -> None:
    labelled, image = picture("a.png", ((0, 0, 20, 10), "AB1"), ((40, 0, 60, 10), "CD2"))
    answer = [
        Seen((0, 0, 20, 10), 0.9, Read("XX9", 0.95, (0.95,) * 3)),
        Seen((0, 20, 20, 30), 0.8, Read("AB1", 0.92, (0.92,) * 3)),
        Seen((40, 20, 60, 30), 0.8, Read("", 0.0, ())),
    ]
    result = figures(run(lambda image: answer, [(labelled, image)]), 0.9)
    assert (result.found, result.exact, result.anywhere) == (1, 0, 1)
    assert (result.shown, result.wrong, result.ghosts) == (1, 1, 1)


def test_pictures_without_an_answer_count_as_nothing_found(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(image: NDArray[np.uint8]) -> list[Seen]:
        raise NoAnswerError("answer 413")

    result = figures(run(refuse, [PLATES]), 0.5)
    assert (result.plates, result.found, result.unanswered) == (3, 0, 1)
    assert "a.png: answer 413" in caplog.text


def test_a_cut_is_widened_and_stays_in_the_picture() -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    assert cut(image, np.array([10.0, 10, 30, 20]), 0.1).shape == (12, 24, 3)
    assert cut(image, np.array([0.0, 0, 80, 40]), 0.5).shape == (40, 80, 3)


def test_nothing_read_has_no_confidence() -> None:
    assert read_of([]) == Read("", 0.0, ())
    assert read_of([Word("A", QUAD, (0.9,))]).confidence == 0.9


def test_names_of_widths() -> None:
    assert width_names() == ("<12", "12–20", "20–40", "≥40")
