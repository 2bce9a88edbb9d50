"""The paint of the cars: colours, gloss and lamps of one end or one flank, as textures measured in metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.demo.bodies import Body
from tools.demo.canvas import (
    Bytes,
    Colour,
    Floats,
    Point,
    ellipse_mask,
    extent,
    f32,
    lay,
    polygon_mask,
    pyramid,
    shade,
    to_bytes,
)

END_PX_PER_M = 300.0
FLANK_PX_PER_M = 150.0  # flanks are seen at a slant, so half as fine is enough


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """Mip levels of colour (BGR + coverage) and of gloss, brake lamp, tail or head lamp (one channel each)."""

    colour: list[Bytes]
    surface: list[Bytes]
    left_m: float
    top_m: float
    px_per_m: float
    transparent: bool


class Sheet:
    """A texture being painted; points are metres with y up."""

    def __init__(
        self, left_m: float, right_m: float, top_m: float, paint: Colour, px_per_m: float = END_PX_PER_M
    ) -> None:
        self.left_m, self.top_m, self.px_per_m = left_m, top_m, px_per_m
        self.shape = (round(top_m * self.px_per_m), round((right_m - left_m) * self.px_per_m))
        self.colour = np.empty((*self.shape, 3), np.float32)
        self.colour[:] = paint
        self.gloss = np.full(self.shape, 0.17, np.float32)
        self.brake = np.zeros(self.shape, np.float32)
        self.tail = np.zeros(self.shape, np.float32)
        self.cover = np.ones(self.shape, np.float32)

    def px(self, point: Point) -> Point:
        """Metres to texture pixels."""
        return (point[0] - self.left_m) * self.px_per_m, (self.top_m - point[1]) * self.px_per_m

    def polygon(self, points: Sequence[Point], round_m: float = 0.0) -> Floats:
        """The mask of a polygon."""
        return polygon_mask(self.shape, [self.px(p) for p in points], round_m * self.px_per_m)

    def box(self, x0: float, y0: float, x1: float, y1: float, round_m: float = 0.0) -> Floats:
        """The mask of an upright box."""
        return self.polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), round_m)

    def disc(self, x: float, y: float, radius_m: float, flat: float = 1.0) -> Floats:
        """The mask of a disc, ``flat`` times as high as wide."""
        return ellipse_mask(self.shape, self.px((x, y)), (radius_m * self.px_per_m, radius_m * flat * self.px_per_m))

    def put(self, mask: Floats, colour: Colour | Floats, gloss: float | None = None) -> None:
        """Paints a part; ``gloss`` 0 matt to 1 mirror."""
        lay(self.colour, mask, colour)
        if gloss is not None:
            part = extent(mask)
            self.gloss[part] += (np.float32(gloss) - self.gloss[part]) * mask[part]

    def seam(self, points: Sequence[Point], round_m: float = 0.03, width_m: float = 0.009) -> None:
        """The gap between two panels: a dark line with a light lower edge."""
        outer = self.polygon(points, round_m)
        middle = f32(points).mean(axis=0)
        shrunk = [(float(x), float(y)) for x, y in middle + (f32(points) - middle) * (1 - 2.2 * width_m)]
        line = np.clip(outer - self.polygon(shrunk, round_m), 0, 1)
        shade(self.colour, line, 0.32)
        self.gloss *= 1 - 0.8 * line
        light = np.roll(line, round(width_m * self.px_per_m), axis=0) * (1 - line)
        lay(self.colour, light, (1.0, 1.0, 1.0), 0.10)

    def skin(self) -> Skin:
        """The finished texture."""
        colour = np.dstack((self.colour, self.cover))
        surface = np.dstack((self.gloss, self.brake, self.tail))
        return Skin(
            pyramid(to_bytes(colour)),
            pyramid(to_bytes(surface)),
            self.left_m,
            self.top_m,
            self.px_per_m,
            bool(self.cover.min() < 1),
        )

    def rows(self) -> Floats:
        """The height of every texture row in metres, shaped (rows, 1)."""
        return f32(self.top_m - (np.arange(self.shape[0]) + 0.5) / self.px_per_m)[:, None]

    def columns(self) -> Floats:
        """The x (or z) of every texture column in metres, shaped (1, columns)."""
        return f32(self.left_m + (np.arange(self.shape[1]) + 0.5) / self.px_per_m)[None, :]


def glass_picture(sheet: Sheet, low_m: float, high_m: float, rng: np.random.Generator) -> Floats:
    """What is seen through a window: dark, lighter towards the top, with seats as darker shapes."""
    share = np.clip((sheet.rows() - low_m) / (high_m - low_m), 0, 1)
    base = 0.035 + 0.07 * share**1.5
    glass = np.repeat((base * np.ones(sheet.shape, np.float32))[..., None], 3, axis=2)
    glass *= f32([1.05, 1.02, 0.95])
    for x in (-0.36, 0.36):
        seat = sheet.box(x - 0.14, low_m - 0.1, x + 0.14, low_m + 0.2, 0.05)
        head = sheet.box(x - 0.09, low_m + 0.1, x + 0.09, low_m + 0.27, 0.05)
        lay(glass, np.maximum(seat, head), (0.02, 0.02, 0.02), 0.75)
    if rng.random() < 0.6:  # the driver's head
        lay(glass, sheet.disc(-0.36, low_m + 0.24, 0.085, 1.25), (0.025, 0.03, 0.04), 0.9)
    return f32(glass)


def paint_flank(body: Body, paint: Colour, rng: np.random.Generator) -> Skin:
    """The side of a car, nose to the right in the texture; everything outside its outline is transparent."""
    length, top = body.length_m, body.height_m
    sheet = Sheet(-0.05, length + 0.05, top + 0.06, paint, FLANK_PX_PER_M)
    rows = sheet.rows()
    sheet.colour *= np.clip(0.62 + 0.45 * (rows - 0.2) / 0.5, 0.5, 1.0)[..., None]
    van, belt = body.name == "van", body.belt_m
    rear_top = float(body.depth_at(f32([top - 0.05]))[0]) + 0.1
    screen_low = 1.25 if not van else 0.75
    roof = [
        (0.0, 0.24),
        (0.0, belt - 0.05),
        (float(body.depth_at(f32([belt + 0.05]))[0]) + 0.02, belt + 0.05),
        (rear_top, top - 0.03),
        (rear_top + 0.5, top + 0.02),
        (length - screen_low - 1.35, top + 0.02),
        (length - screen_low - 0.75, top - 0.08),
        (length - screen_low + 0.1, belt + 0.08),
        (length - 0.5, belt - 0.06),
        (length - 0.08, belt - 0.25),
        (length, 0.5),
        (length - 0.06, 0.24),
    ]
    cover = sheet.polygon(roof, 0.04)
    lay(sheet.colour, sheet.polygon(roof, 0.04) * np.clip((0.33 - rows) / 0.05, 0, 1), (0.03, 0.03, 0.03), 0.85)
    glass_low, glass_high = body.window[0] + 0.0, body.window[1] + 0.02
    if not van:
        back = float(body.depth_at(f32([glass_low]))[0]) + 0.42
        back_top = float(body.depth_at(f32([glass_high - 0.05]))[0]) + 0.5
        window = (
            (back, glass_low),
            (back_top, glass_high),
            (length - screen_low - 0.85, glass_high),
            (length - screen_low - 0.15, glass_low),
        )
    else:
        window = (
            (length - 2.0, glass_low),
            (length - 2.0, glass_high),
            (length - 1.45, glass_high),
            (length - 0.9, glass_low),
        )
    frame = sheet.polygon([(x, y) for x, y in window], 0.03)
    sheet.put(frame, glass_picture(sheet, glass_low, glass_high, rng), 0.85)
    for share in (0.34, 0.68) if not van else ():
        x = window[0][0] + share * (window[3][0] - window[0][0])
        sheet.put(sheet.box(x - 0.04, glass_low, x + 0.04, glass_high) * frame, (0.03, 0.03, 0.03), 0.2)
        sheet.seam(((x, 0.38), (x + 0.95, 0.38), (x + 0.95, glass_low - 0.02), (x, glass_low - 0.02)))
        sheet.put(sheet.box(x + 0.08, belt - 0.13, x + 0.27, belt - 0.1, 0.012), tuple(0.8 * c for c in paint), 0.5)  # type: ignore[arg-type]
    shade(sheet.colour, sheet.box(0.1, belt - 0.11, length, belt - 0.09, 0.01), 0.8)
    for centre in (0.82, length - 0.86):
        arch = sheet.disc(centre, body.wheel_m, body.wheel_m + 0.055)
        sheet.put(arch, (0.012, 0.012, 0.012), 0.0)
        tyre = sheet.disc(centre, body.wheel_m, body.wheel_m)
        sheet.put(tyre, (0.035, 0.034, 0.034), 0.02)
        rim = sheet.disc(centre, body.wheel_m, body.wheel_m * 0.68)
        sheet.put(rim, (0.36, 0.36, 0.36), 0.3)
        sheet.put(sheet.disc(centre, body.wheel_m, body.wheel_m * 0.56), (0.13, 0.13, 0.13), 0.1)
        sheet.put(sheet.disc(centre, body.wheel_m, body.wheel_m * 0.2), (0.32, 0.32, 0.32), 0.3)
        cover = np.maximum(cover, tyre)
    lamp = sheet.box(-0.05, body.lamp[0], 0.32 + body.corner_m, body.lamp[1], 0.03)
    sheet.put(lamp, (0.05, 0.03, 0.4), 0.4)
    sheet.brake = np.maximum(sheet.brake, lamp * np.float32(0.5))
    sheet.tail = np.maximum(sheet.tail, lamp * np.float32(0.3))
    sheet.cover = cover
    return sheet.skin()
