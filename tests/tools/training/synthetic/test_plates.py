"""Synthetic plates: the same seed gives the same plate, and boxes lie on the characters they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET
from tools.training.synthetic import photo
from tools.training.synthetic.fonts import FANCY, FONT_PACKAGES, FOREIGN, PLATE, font_files, style_of
from tools.training.synthetic.generate import contact_sheet, crop_of
from tools.training.synthetic.geometry import line_quad
from tools.training.synthetic.glyphs import Glyphs, sheared
from tools.training.synthetic.layouts import DARK, LAYOUTS, Layout
from tools.training.synthetic.patterns import CONSONANTS, VOWELS, fill
from tools.training.synthetic.render import render
from tools.training.synthetic.store import Store


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_renders_its_patterns(layout: Layout, glyphs: Glyphs) -> None:
    for seed in range(len(layout.patterns)):
        plate = render(layout, glyphs, np.random.default_rng(seed))
        assert plate.image.dtype == np.float32
        assert 0 <= plate.image.min() <= plate.image.max() <= 255
        # Rows in another script alone are no lines of the plate.
        rows = [[set(row) <= set("f| ") for row in pattern.split("/")].count(False) for pattern in layout.patterns]
        assert len(plate.lines) in rows
        for line in plate.lines:
            assert line.quads.shape == (len(line.text), 4, 2)
            assert set(line.text) <= set(ALPHABET)


def test_more_than_thirty_countries_have_layouts() -> None:
    names = {layout.name.split(",")[0] for layout in LAYOUTS} - {"Anything"}
    assert len(names) >= 30


def test_characters_lie_in_their_boxes_in_reading_order(glyphs: Glyphs) -> None:
    layout = Layout("plain", ("LLL DDD",), tone=DARK)
    for seed in range(12):
        plate = render(layout, glyphs, np.random.default_rng(seed))
        (line,) = plate.lines
        x0, x1 = line.quads[:, 0, 0], line.quads[:, 1, 0]
        assert np.all(np.diff((x0 + x1) / 2) > 0)
        background = np.median(plate.image)
        for quad in line.quads:
            left, top = np.floor(quad[0]).astype(int)
            right, bottom = np.ceil(quad[2]).astype(int)
            inside = plate.image[max(0, top) : bottom, max(0, left) : right]
            assert background - inside.min() > 40  # there is ink in the box


def test_stacked_letters_stand_above_one_another(glyphs: Glyphs) -> None:
    plate = render(Layout("stacked", ("{AB}DDD",)), glyphs, np.random.default_rng(1))
    (line,) = plate.lines
    first, second, third = line.quads[:3]
    assert line.text[:2] == "AB"
    assert abs(first.mean(axis=0)[0] - second.mean(axis=0)[0]) < 3
    assert first[:, 1].max() <= second[:, 1].min() + 1
    assert third[:, 0].min() > second.mean(axis=0)[0]


def test_british_plates_draw_o_and_zero_alike(glyphs: Glyphs) -> None:
    one, other = (
        render(Layout("alike", (pattern,), alike=1.0), glyphs, np.random.default_rng(3))
        for pattern in ("[OI5]", "[015]")
    )
    assert np.array_equal(one.image, other.image)
    assert [one.lines[0].text, other.lines[0].text] == ["OI5", "015"]


def test_leaning_masks_are_wider_and_keep_their_ink() -> None:
    mask = np.full((40, 20), 255, np.uint8)
    right, left = sheared(mask, 0.25), sheared(mask, -0.25)
    assert right.shape == left.shape == (40, 30)
    assert right[1, 29] > 100 > right[1, 0]
    assert left[1, 0] > 100 > left[1, 29]
    assert abs(int(right.sum()) - int(mask.sum())) < 0.08 * mask.sum()


def test_every_font_has_a_style() -> None:
    assert style_of("tinos-700") == FANCY
    assert style_of("barlow-condensed-500") == PLATE
    assert style_of("noto-kufi-arabic-600") == FOREIGN
    assert style_of("DejaVuSans-Bold") == PLATE


@pytest.mark.parametrize("effect", [photo.night, photo.overexpose, photo.striped_shadow])
def test_hard_light_keeps_shape_and_some_contrast(
    effect: Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]],
) -> None:
    image = np.full((40, 120), 200, np.float32)
    image[10:30, 20:30] = 30
    for seed in range(10):
        changed = effect(image, np.random.default_rng(seed))
        assert changed.shape == image.shape
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert changed[12:28, 22:28].mean() < changed[12:28, 60:80].mean()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 10_000))
def test_a_seed_fixes_the_crop(glyphs: Glyphs, seed: int, number: int) -> None:
    one, two = crop_of(seed, number, [glyphs]), crop_of(seed, number, [glyphs])
    assert np.array_equal(one.image, two.image)
    assert [line.text for line in one.lines] == [line.text for line in two.lines]
    height, width = one.image.shape
    assert 8 <= width <= 256
    assert 8 <= height <= 128
    for first, second in zip(one.lines, two.lines, strict=True):
        assert np.array_equal(first.quads, second.quads)
        # No crop cuts into characters.
        assert first.quads.min() >= -2
        assert np.all(first.quads.reshape(-1, 2).max(axis=0) <= [width + 2, height + 2])


def test_other_numbers_give_other_plates(glyphs: Glyphs) -> None:
    texts = {tuple(line.text for line in crop_of(1, number, [glyphs]).lines) for number in range(20)}
    assert len(texts) == 20


def test_pattern_grammar() -> None:
    rng = np.random.default_rng(0)
    (stacked,) = fill("{AB}D|ff", "Z", rng)
    assert [token.stack for token in stacked] == ["upper", "lower", "", "", "", ""]
    assert [token.kind for token in stacked] == ["char", "char", "char", "bar", "foreign", "foreign"]
    for seed in range(20):
        ((digit, vowel, consonant),) = fill("9vc", "Z", np.random.default_rng(seed))
        assert digit.value in "123456789"
        assert vowel.value in VOWELS
        assert consonant.value in CONSONANTS
    (upper, lower) = fill("[AB]L D-(DD)/X.o", "Z", rng)
    assert [token.kind for token in upper] == ["char", "char", "char", "gap", "char", "hyphen", "char", "char"]
    assert "".join(token.value for token in upper if token.kind == "char")[:3] == "ABZ"
    assert [token.small for token in upper][-2:] == [True, True]
    assert [token.kind for token in lower] == ["char", "dot", "seal"]
    with pytest.raises(ValueError, match="grammar"):
        fill("L*", "A", rng)


def test_line_quad_of_level_characters_ignores_small_raised_ones() -> None:
    boxes = [[[x, 10], [x + 8, 10], [x + 8, 30], [x, 30]] for x in (0, 12, 24)]
    boxes.append([[36, 10], [42, 10], [42, 20], [36, 20]])
    quad = line_quad(np.array(boxes, np.float32))
    assert quad == pytest.approx(np.array([[0, 10], [42, 10], [42, 30], [0, 30]], np.float32), abs=1e-3)


def test_store_gives_back_what_was_put_in(glyphs: Glyphs, tmp_path: Path) -> None:
    crops = [crop_of(3, number, [glyphs]) for number in range(8)]
    Store.of(crops).save(tmp_path / "crops.npz")
    store = Store.load(tmp_path / "crops.npz")
    assert len(store) == len(crops)
    for stored, crop in zip(store, crops, strict=True):
        assert np.array_equal(stored.image, crop.image)
        assert [line.text for line in stored.lines] == [line.text for line in crop.lines]
        for a, b in zip(stored.lines, crop.lines, strict=True):
            assert np.array_equal(a.quads, b.quads)
    with pytest.raises(IndexError):
        store[len(crops)]
    twice = Store.joined([store, store])
    assert len(twice) == 2 * len(store)
    assert np.array_equal(twice[len(store) + 3].image, crops[3].image)
    assert np.array_equal(twice[len(store) + 3].lines[0].quads, crops[3].lines[0].quads)
    assert Store.joined([store]) is store
    assert contact_sheet(crops).shape == (220, 1440)


def test_missing_fonts_say_how_to_fetch_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tools\.training\.synthetic\.fonts"):
        font_files(tmp_path)
    assert all(package.licence for package in FONT_PACKAGES)
