"""Contact sheets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from tools.evaluation.failures import COLUMNS, ROWS, TILE_PX, Failure, of_readings, tile, write_contact_sheets
from tools.evaluation.reading import PlateReading

LINE = ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))


def failure(confidence: float, grey: int = 90) -> Failure:
    reading = PlateReading("a.png", "s", "AB1", "A81", confidence, (0.9, 0.5, 0.99), (LINE,))
    return Failure(reading, np.full((40, 100, 3), grey, np.uint8))


def test_a_tile_shows_crop_and_line() -> None:
    image = tile(failure(0.9))
    assert image.shape == (TILE_PX[1], TILE_PX[0], 3)
    assert (image == 90).all(axis=2).sum() > 0.3 * image.shape[0] * image.shape[1]
    bare = tile(Failure(replace(failure(0.9).reading, quads=()), failure(0.9).crop))
    drawn = (image != bare).any(axis=2)
    assert 50 < drawn.sum() < 3000
    assert drawn[:100].sum() == drawn.sum()


def test_nothing_read_and_long_texts_fit() -> None:
    nothing = Failure(PlateReading("a", "s", "AB1", ""), np.zeros((1, 1, 3), np.uint8), "not found")
    long = Failure(PlateReading("a", "s", "A" * 40, "B" * 60, 0.5, (0.5,) * 60), np.zeros((500, 2, 3), np.uint8))
    assert tile(nothing).shape == tile(long).shape


def test_the_surest_errors_come_first_and_old_sheets_go(tmp_path: Path) -> None:
    count = COLUMNS * ROWS
    (tmp_path / "failures-07.png").write_bytes(b"old")
    files = write_contact_sheets([*[failure(0.1, 40)] * count, failure(0.99, 200)], tmp_path)
    assert [f.name for f in files] == ["failures-00.png", "failures-01.png"]
    assert sorted(tmp_path.iterdir()) == files
    first = cv2.imread(str(files[0]))
    assert first is not None
    middles = first[20, TILE_PX[0] // 2 :: TILE_PX[0], 0]
    assert middles.tolist() == [200, *[40] * (COLUMNS - 1)]


def test_only_what_is_not_exact_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "crop.png"
    cv2.imwrite(str(file), np.zeros((4, 9, 3), np.uint8))
    right = PlateReading(str(file), "s", "A/B", "AB", 0.9)
    wrong = PlateReading(str(file), "s", "A/B", "A8", 0.9)
    (only,) = of_readings([right, wrong])
    assert only.reading is wrong
    assert only.crop.shape == (4, 9, 3)
