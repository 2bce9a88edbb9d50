"""Shapes on a surface of SDL, which needs no screen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pygame
import pytest
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox
from edge_client.displays.window_icons import icon, rounded
from edge_client.displays.window_paint import Painter, fitted, font, picture_of
from edge_client.displays.window_shapes import Crop, Fill, Icon, IconName, Picture, Text
from edge_client.overlay import SURE
from edge_client.types import TrackedBox
from tests.edge_client.samples import jpeg, picture, shown

RED = (200, 10, 20)


@pytest.fixture
def surface() -> Iterator[pygame.Surface]:
    pygame.font.init()
    yield pygame.Surface((200, 100))


def painter(crop: bytes = b"") -> Painter:
    return Painter(lambda uid: crop)


def ink(surface: pygame.Surface) -> NDArray[np.bool_]:
    """Where something was drawn, (width, height)."""
    return np.asarray(pygame.surfarray.array3d(surface).any(axis=2), np.bool_)


def test_rectangles_have_round_corners(surface: pygame.Surface) -> None:
    painter().paint(surface, [Fill((10, 10, 80, 40), RED, 12), Fill((110, 10, 80, 40), RED)], None)
    assert surface.get_at((50, 30))[:3] == RED
    assert surface.get_at((10, 10))[:3] == (0, 0, 0)
    assert surface.get_at((110, 10))[:3] == RED
    mask = rounded(80, 40, 12)
    assert mask[0, 0] == 0
    assert 0 < mask[3, 3] < 255 or mask[4, 3] > 0  # smooth
    assert np.array_equal(mask, mask[::-1])
    assert np.array_equal(mask, mask[:, ::-1])


@pytest.mark.parametrize("align", ["left", "centre", "right"])
def test_texts_stand_in_their_place_centred_by_their_capitals(surface: pygame.Surface, align: str) -> None:
    shape = Text((20, 20, 160, 60), "HHH", RED, 40, align)  # type: ignore[arg-type]
    painter().paint(surface, [shape], None)
    columns, rows = np.nonzero(ink(surface))
    assert (rows.min() + rows.max()) / 2 == pytest.approx(50, abs=2)
    assert rows.max() - rows.min() == pytest.approx(0.7 * 40, abs=3)
    middle = {
        "left": columns.min() - 20,
        "centre": (columns.min() + columns.max()) / 2 - 100,
        "right": 180 - columns.max(),
    }
    assert abs(middle[align]) <= 5
    assert 20 <= columns.min() <= columns.max() < 180


def test_texts_that_are_too_long_get_shorter_then_smaller_then_cut(surface: pygame.Surface) -> None:
    wide = font(40).size("recording on")[0]
    assert fitted(("recording on", "on"), wide, 40, 0.75) == ("recording on", 40)
    assert fitted(("recording on", "on"), wide - 1, 40, 0.75) == ("on", 40)
    text, size = fitted(("recording on",), round(wide * 0.85), 40, 0.75)
    assert text == "recording on"
    assert 30 <= size < 40
    text, size = fitted(("recording on",), wide // 2, 40, 0.75)
    assert text.endswith("…")
    assert font(size).size(text)[0] <= wide // 2
    assert fitted(("",), 5, 40, 0.75) == ("", 40)
    painter().paint(surface, [Text((0, 0, 3, 20), "W" * 500, RED, 20)], None)  # no room at all does no harm


@pytest.mark.parametrize("name", ["camera", "gps", "network", "recording", "lock", "arrow", "bell", "warning"])
@pytest.mark.parametrize("side", [18, 30, 64])
def test_signs_fill_their_square_and_differ(name: IconName, side: int) -> None:
    mask = icon(name, side)
    assert mask.shape == (side, side)
    assert 0.15 < (mask > 127).mean() < 0.75
    rows, columns = np.nonzero(mask > 64)
    assert max(np.ptp(rows), np.ptp(columns)) > 0.8 * side


def test_the_arrow_turns_clockwise(surface: pygame.Surface) -> None:
    painter().paint(surface, [Icon((0, 0, 60, 60), "arrow", RED), Icon((100, 0, 60, 60), "arrow", RED, 90.0)], None)
    drawn = ink(surface)
    north, east = drawn[:60, :60], drawn[100:160, :60]
    assert north[30, :10].any()
    assert not north[:10, 30].any()
    assert east[50:, 30].any()  # its tip points to the right


def test_the_picture_is_reduced_with_its_plates_on_it() -> None:
    box = TrackedBox(1, PlateBox(640.0, 400.0, 760.0, 430.0, 0.9, (0.9,)), False, "B123XYZ", 0.95)
    frame = shown(0, picture(1280, 720, 90), (box,))
    place = Picture((0, 0, 533, 300))
    drawn = picture_of(frame, place)
    assert drawn.shape == (300, 533, 3)
    assert frame.frame.image.std() == 0  # the frame is left as it is
    left, right, top, bottom = (round(v * 533 / 1280) for v in (640, 760, 400, 430))
    near = drawn[top - 6 : bottom + 6, left - 6 : right + 6].reshape(-1, 3).astype(int)
    assert (np.abs(near - SURE).max(axis=1) < 10).sum() > 40
    assert np.abs(picture_of(frame, Picture((0, 0, 533, 300), plates=False)).astype(int) - 90).max() <= 1
    assert np.abs(picture_of(frame, Picture((0, 0, 533, 300), 0.5, plates=False)).astype(int) - 45).max() <= 1


def test_odd_sizes_of_pictures() -> None:
    for width, height in ((1279, 717), (100, 60), (2592, 1944), (533, 300)):
        assert picture_of(shown(0, picture(width, height)), Picture((0, 0, 533, 300))).shape == (300, 533, 3)


def test_crops_are_fitted_and_bad_ones_left_out(surface: pygame.Surface) -> None:
    place = Crop((20, 20, 160, 60), "a")
    painter(jpeg(64, 20)).paint(surface, [place], None)
    columns, rows = np.nonzero(ink(surface))
    assert np.ptp(columns) + 1 == pytest.approx(160, abs=2)
    assert np.ptp(rows) + 1 == pytest.approx(50, abs=2)
    surface.fill((0, 0, 0))
    for crop in (b"", b"no picture"):
        painter(crop).paint(surface, [place], None)
    assert not ink(surface).any()
