"""The rendered drive: repeatable, and its truth true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.tools.demo.conftest import SMALL, Rendered, render


def test_one_seed_gives_one_drive_however_many_threads_paint_it(small_drive: Rendered) -> None:
    again = render(SMALL, workers=1)
    assert again.truth == small_drive.truth
    assert again.route == small_drive.route
    assert len(again.frames) == len(small_drive.frames) == SMALL.frames
    for first, second in zip(small_drive.frames, again.frames, strict=True):
        assert np.array_equal(first, second)


def test_another_seed_gives_other_plates(small_drive: Rendered) -> None:
    other = render(replace(SMALL, seed=6, seconds=0.2), workers=1)
    assert {p.text for p in other.truth.plates} != {p.text for p in small_drive.truth.plates}


def test_frames_are_pictures_of_the_size_asked_for(small_drive: Rendered) -> None:
    for picture in small_drive.frames:
        assert picture.shape == (270, 480, 3)
        assert picture.dtype == np.uint8
        assert 40 < picture.mean() < 215
        assert picture.std() > 25
    moved = np.abs(small_drive.frames[0].astype(int) - small_drive.frames[-1]).mean()
    assert moved > 3


def test_truth_boxes_lie_within_the_frame_and_follow_each_other(small_drive: Rendered) -> None:
    truth = small_drive.truth
    assert truth.frames == SMALL.frames
    assert len(truth.plates) >= 3
    assert len({p.text for p in truth.plates}) == len(truth.plates)
    for plate in truth.plates:
        assert plate.text.isalnum()
        assert plate.text == plate.text.upper()
        assert plate.boxes
        for number, (xmin, ymin, xmax, ymax) in plate.boxes.items():
            assert 0 <= number < SMALL.frames
            assert 0 <= xmin < xmax <= 480
            assert 0 <= ymin < ymax <= 270
        for number, box in plate.boxes.items():
            following = plate.boxes.get(number + 1)
            if following is not None:  # at 10 frames a second nothing jumps over an eighth of the picture
                assert np.abs(np.subtract(box, following)).max() < 60


def test_there_is_a_plate_where_the_truth_says(small_drive: Rendered) -> None:
    """Plates are the brightest and most contrasting thing around them."""
    checked = 0
    for plate in small_drive.truth.plates:
        for number, box in plate.boxes.items():
            width, height = box[2] - box[0], box[3] - box[1]
            if width < 34 or plate.country in ("NL", "GB"):
                continue
            x0, y0, x1, y1 = (round(v) for v in box)
            picture = small_drive.frames[number].mean(axis=2)
            inside = picture[y0:y1, x0:x1]
            below = picture[y1 + 2 : y1 + 2 + max(3, round(height / 3)), x0:x1]
            assert np.percentile(inside, 85) > below.mean()
            assert inside.std() > below.std()
            checked += 1
    assert checked >= 3
