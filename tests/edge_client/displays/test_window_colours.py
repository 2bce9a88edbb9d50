from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge_client.displays.window_colours import DAY, NIGHT, Colour, Palette, is_night, sun_elevation_deg
from edge_client.states import Grade


@pytest.mark.parametrize(
    ("moment", "latitude_deg", "longitude_deg", "elevation_deg"),
    [
        # NREL's solar position algorithm (SPA), its own example: Golden, Colorado; zenith 50.11 degrees.
        (datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC), 39.742476, -105.1786, 39.89),
        # By construction: the sun over the equator at the equinox's noon, and below it at midnight.
        (datetime(2024, 3, 20, 12, 7, 26, tzinfo=UTC), 0.0, 0.0, 89.8),
        (datetime(2024, 3, 20, 0, 7, 30, tzinfo=UTC), 0.0, 0.0, -89.8),
        # Midsummer's midnight sun at 70 degrees north: 70 + 23.44 - 90.
        (datetime(2025, 6, 21, 0, 2, 0, tzinfo=UTC), 70.0, 0.0, 3.44),
    ],
)
def test_the_sun(moment: datetime, latitude_deg: float, longitude_deg: float, elevation_deg: float) -> None:
    assert sun_elevation_deg(moment, latitude_deg, longitude_deg) == pytest.approx(elevation_deg, abs=0.3)


def test_night_falls_and_ends_without_flicker() -> None:
    assert [is_night(False, e, 200.0) for e in (10.0, -1.0, -3.0, -5.0)] == [False, False, False, True]
    assert [is_night(True, e, 200.0) for e in (-5.0, -3.0, -1.0)] == [True, True, False]
    assert [is_night(False, None, b) for b in (100.0, 60.0, 30.0)] == [False, False, True]
    assert [is_night(True, None, b) for b in (30.0, 60.0, 100.0)] == [True, True, False]
    assert is_night(True, None, None)
    assert not is_night(False, None, None)
    assert is_night(False, -20.0, 255.0)  # a lit street is no day


def contrast(a: Colour, b: Colour) -> float:
    """Contrast ratio (WCAG 2.2)."""

    def luminance(colour: Colour) -> float:
        linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [DAY, NIGHT])
def test_all_texts_stand_out(palette: Palette) -> None:
    for ground in (palette.ground, palette.panel):
        assert contrast(palette.text, ground) >= 7
        assert contrast(palette.dim, ground) >= 4
        for grade in (Grade.OK, Grade.NOTE, Grade.BAD):
            assert contrast(palette.of(grade), ground) >= 4
    assert contrast(palette.on_bad, palette.bad) >= 4.5
    assert contrast(palette.on_alert, palette.alert) >= 4.5
    assert contrast(palette.plate_text, palette.plate) >= 7


def test_the_night_is_dark_and_without_blue() -> None:
    for colour in (NIGHT.ground, NIGHT.panel, NIGHT.text, NIGHT.ok, NIGHT.note, NIGHT.bad, NIGHT.plate):
        assert colour[2] <= 130
        assert colour[2] <= max(colour)
    assert max(NIGHT.ground) < 10
    assert NIGHT.brightness < DAY.brightness
