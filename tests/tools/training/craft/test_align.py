"""Searching lines by their known text: CTC loss and places, character boxes, the search itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="torch (extra `train`) is not installed")

from cloud_apis.crnn.preprocess import shown
from tools.training.common.crops import RealCrop
from tools.training.craft.align import Aligned, Aligner, above, alignable, character_quads, perturbed, sound, trim
from tools.training.craft.ctc import CODE, losses, places
from tools.training.craft.labels import labelled_crops, load_aligned, reading_judge, to_json, words_of

STEPS = 32


def spoken(text: str, at: list[int], sure: float = 9.0) -> NDArray[np.float32]:
    """Logits (32, 37) that say ``text`` at the given steps and the blank elsewhere."""
    logits = np.zeros((STEPS, 37), np.float32)
    logits[:, 0] = sure
    for character, step in zip(text, at, strict=True):
        logits[step] = 0
        logits[step, CODE[character]] = sure
    return logits


def square(x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float32]:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def test_the_true_text_has_the_least_loss() -> None:
    logits = spoken("AB1", [5, 12, 20])
    one = losses(np.stack([logits] * 4), ["AB1", "AB", "AB7", "AB11"])
    assert one[0] < 0.3
    assert (one[1:] > 5).all()


def test_characters_are_placed_where_they_are_said() -> None:
    steps = [4, 6, 15, 28]
    assert places(spoken("1122", steps), "1122") == pytest.approx((np.array(steps) + 0.5) / STEPS)
    # A text that is not there still gets rising places.
    assert (np.diff(places(spoken("1122", steps), "A1B2C")) > 0).all()


def test_character_boxes_lie_in_their_line_at_their_places() -> None:
    quad = square(30, 20, 110, 40)
    wide = shown(quad)
    centres = np.array([36, 52, 68, 84, 100], np.float64)
    spots = (centres - 0.08 * 20 - wide[0, 0]) / (wide[1, 0] - wide[0, 0])
    found = character_quads(quad, spots)
    assert found.mean(axis=1)[:, 0] == pytest.approx(centres, abs=0.6)
    assert found[:, :2, 1] == pytest.approx(20, abs=0.1)
    assert found[:, 2:, 1] == pytest.approx(40, abs=0.1)
    assert (found[1:, 0, 0] >= found[:-1, 1, 0]).all()


def test_loose_ends_are_trimmed() -> None:
    characters = np.stack([square(x, 20, x + 10, 40) for x in (50, 62, 74)])
    trimmed = trim(square(20, 20, 86, 40), characters)
    assert trimmed == pytest.approx(square(50, 20, 86, 40))


def test_changes_of_a_quad_are_mostly_sound() -> None:
    changed = perturbed(square(20, 20, 86, 40), 40, np.random.default_rng(0))
    assert np.mean([sound(quad) for quad in changed]) > 0.9
    assert not sound(square(86, 20, 20, 40))
    assert above(square(0, 0, 50, 20), square(0, 25, 50, 45))
    assert not above(square(0, 25, 50, 45), square(0, 0, 50, 20))


def test_what_can_be_searched() -> None:
    assert alignable(("AB1",))
    assert alignable(("AB", "1"))
    assert not alignable(("AB", ""))
    assert not alignable(("Ä1",))
    assert not alignable(("A", "B", "C"))


def bars() -> NDArray[np.uint8]:
    """A crop with two rows of bars: two above, three below."""
    image = np.zeros((96, 192), np.uint8)
    for x in (60, 84):
        image[16:36, x : x + 8] = 255
    for x in (50, 74, 98):
        image[56:76, x : x + 8] = 255
    return image


def score(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Region map: the picture's brightness at half its size; rows are linked; the lower row is not seen at first."""
    half = images[:, 0].reshape(len(images), 48, 2, 96, 2).mean(axis=(2, 4))
    return np.stack([half, np.zeros_like(half)], axis=1).astype(np.float32)


def read(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say "1" wherever bright columns begin."""
    rows = []
    for patch in patches[:, 0]:
        column = patch[patch.shape[0] // 4 : -patch.shape[0] // 4].mean(axis=0) > 0.5
        starts = np.flatnonzero(column[1:] & ~column[:-1]) + 1
        steps = sorted({int(start * STEPS / len(column)) for start in starts})
        rows.append(spoken("1" * len(steps), steps))
    return np.stack(rows)


def test_two_lines_are_told_apart_by_their_texts() -> None:
    found = Aligner(score, read).align(bars(), ("11", "111"), np.random.default_rng(0))
    upper, lower = found.quads
    assert max(found.losses) < 1.2
    assert upper.mean(axis=0) == pytest.approx([76, 26], abs=6)
    assert lower.mean(axis=0) == pytest.approx([78, 66], abs=6)
    assert [len(quads) for quads in found.characters] == [2, 3]


def test_the_judge_reads_what_is_found() -> None:
    image = bars()
    image[40:] = 0
    right, wrong = (RealCrop("a", text, "x", image, 1.0) for text in ("11", "111"))
    figures = reading_judge([right, wrong, RealCrop("b", "1", "x", np.zeros((40, 80), np.uint8), 1.0)], read)(score)
    assert figures["exact"] == pytest.approx(1 / 3)
    assert figures["chance"] == pytest.approx(1 / 3, abs=0.1)


def test_aligned_lines_are_kept_at_full_size(tmp_path: Path) -> None:
    quad = square(10, 10, 40, 20)
    characters = np.stack([square(10, 10, 20, 20), square(25, 10, 40, 20)])
    crop = RealCrop("a.png", "A1", "x", np.zeros((30, 60), np.uint8), 0.5)
    hopeless = RealCrop("b.png", "B1", "x", crop.image, 1.0)
    entries = {
        "a.png": to_json(crop, Aligned((quad,), (0.1,), (characters,))),
        "b.png": to_json(hopeless, Aligned((quad,), (9.0,), (characters,))),
    }
    (tmp_path / "aligned.json").write_text(json.dumps(entries))
    aligned = load_aligned(tmp_path / "aligned.json")
    assert aligned["a.png"].quads[0] == pytest.approx(quad * 2)
    assert words_of(aligned) == {"a.png": [(quad * 2).tolist()]}
    (labelled,), weights = labelled_crops([crop, hopeless], aligned)
    assert labelled.lines[0].quads == pytest.approx(characters)
    assert weights == [1.0]
