"""Whole plates from logits: joined lines, confidences, and what regions may change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_apis.crnn.calibration import Calibration, Line
from cloud_apis.crnn.plates import SURE, PlateDecoder
from cloud_apis.crnn.postprocess import ALPHABET, LineReading, confidences_of, read_line
from cloud_apis.crnn.regions import read_regions, shipped_regions

CLASSES = 37
REGIONS = read_regions(shipped_regions())
PLAIN = PlateDecoder()
GB = PlateDecoder(regions=[REGIONS["GB"]])


def line_of(text: str, doubts: dict[int, tuple[str, float]] | None = None) -> LineReading:
    """A line whose peaked logits spell a text; a doubt at a place gives another character and its probability there."""
    logits = np.full((2 * len(text) + 1, CLASSES), -12, np.float32)
    logits[::2, 0] = 0
    for place, character in enumerate(text):
        other, chance = (doubts or {}).get(place, (character, 0.0))
        logits[2 * place + 1, ALPHABET.index(other) + 1] = np.log(max(chance, 1e-9))
        logits[2 * place + 1, ALPHABET.index(character) + 1] = np.log(1 - chance)
    return read_line(logits)


def test_lines_are_joined_and_their_chances_multiplied() -> None:
    read = PLAIN.read([line_of("AB", {0: ("4", 0.2)}), line_of("123", {2: ("8", 0.1)})])
    assert [text for text, _ in read.lines] == ["AB", "123"]
    assert read.text == "AB123"
    assert read.confidence == pytest.approx(0.72, abs=0.01)
    assert [round(c, 1) for _, line in read.lines for c in line] == [0.8, 1.0, 1.0, 1.0, 0.9]


def test_nothing_read_has_no_confidence() -> None:
    assert PLAIN.read([line_of("")]).confidence == 0
    assert PLAIN.read([]).confidence == 0


def test_calibration_moves_confidences_and_no_text() -> None:
    logits = [line_of("AB12CDE", {3: ("Z", 0.3)})]
    careful = PlateDecoder(Calibration(character=Line(offset=-1.0), plate=Line(offset=-2.0)))
    raw, calibrated = PLAIN.read(logits), careful.read(logits)
    assert raw.text == calibrated.text
    assert calibrated.confidence < raw.confidence
    assert all(
        c < r for (_, a), (_, b) in zip(calibrated.lines, raw.lines, strict=True) for c, r in zip(a, b, strict=True)
    )


def test_a_region_settles_what_the_network_cannot_tell() -> None:
    logits = [line_of("A012CDE", {1: ("O", 0.35)})]
    assert PLAIN.read(logits).text == "A012CDE"
    read = GB.read(logits)
    assert read.text == "AO12CDE"
    assert read.confidence > 0.8
    ((_, confidences),) = read.lines
    assert min(confidences) == confidences[1] > 0.7


def test_a_region_knows_the_whole_plate_of_two_lines() -> None:
    logits = [line_of("A0", {1: ("O", 0.3)}), line_of("12CDE")]
    assert [text for text, _ in GB.read(logits).lines] == ["AO", "12CDE"]


def test_a_read_of_another_form_stays_when_no_candidate_fits() -> None:
    logits = [line_of("0000000", {1: ("O", 0.4)})]
    assert GB.read(logits) == PLAIN.read(logits)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    steps=st.integers(1, 40),
    spread=st.floats(1, 12),
    code=st.sampled_from(sorted(REGIONS)),
    plate=st.builds(Line, scale=st.floats(0.3, 3), offset=st.floats(-3, 3)),
)
def test_a_confident_read_is_never_changed(seed: int, steps: int, spread: float, code: str, plate: Line) -> None:
    rng = np.random.default_rng(seed)
    lines = [
        read_line(rng.normal(0, spread, (steps, CLASSES)).astype(np.float32)) for _ in range(int(rng.integers(1, 3)))
    ]
    calibration = Calibration(character=Line(), plate=plate)
    before = PlateDecoder(calibration).read(lines)
    after = PlateDecoder(calibration, [REGIONS[code]]).read(lines)
    if before.confidence >= SURE:
        assert after == before
    assert 0 <= after.confidence <= 1
    assert all(0 <= c <= 1 for _, confidences in after.lines for c in confidences)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet=ALPHABET, min_size=4, max_size=9),
    place=st.integers(0, 3),
    other=st.sampled_from(ALPHABET),
    chance=st.floats(0, 0.09),
    code=st.sampled_from(sorted(REGIONS)),
)
def test_a_plate_read_with_little_doubt_is_the_same_in_every_region(
    text: str, place: int, other: str, chance: float, code: str
) -> None:
    logits = [line_of(text, {place: (other, chance)} if other != text[place] else None)]
    plain = PLAIN.read(logits)
    assert plain.text == text
    if plain.confidence >= SURE:
        assert PlateDecoder(regions=[REGIONS[code]]).read(logits) == plain


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 30), spread=st.floats(0, 20))
def test_the_best_path_of_the_greedy_text_is_the_greedy_path(seed: int, steps: int, spread: float) -> None:
    line = read_line(np.random.default_rng(seed).normal(0, spread, (steps, CLASSES)).astype(np.float32))
    unread = replace(line, text="?" * len(line.text))  # so that the path is searched
    assert confidences_of(unread, line.text) == line.confidences
    other = confidences_of(line, line.text[1:] + "7")
    assert len(other) == max(1, len(line.text))
    assert all(0 <= c <= 1 for c in other)


def test_characters_of_a_forced_text_have_what_the_network_gives_them() -> None:
    line = line_of("A012", {1: ("O", 0.35)})
    assert [round(c, 2) for c in confidences_of(line, "AO12")] == [1.0, 0.35, 1.0, 1.0]
    assert confidences_of(line, "A" * 20) == (0.0,) * 20
