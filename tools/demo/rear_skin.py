"""The painted rears and fronts of the cars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demo.bodies import Body
from tools.demo.canvas import Colour, f32, lay, shade
from tools.demo.skins import Sheet, Skin, glass_picture

RED: Colour = (0.045, 0.03, 0.48)
DARK_RED: Colour = (0.03, 0.015, 0.22)
PLASTIC: Colour = (0.045, 0.043, 0.042)
CHROME: Colour = (0.62, 0.62, 0.62)


@dataclass(frozen=True, slots=True)
class Look:
    """What distinguishes two cars of one body: paint, lamp style, trim."""

    paint: Colour
    lamp_style: int  # 0 block, 1 C-shaped light guide, 2 slim with a bar across
    dark_bumper: bool
    chrome: bool
    wiper: bool


def paint_rear(body: Body, look: Look, plate_size_m: tuple[float, float], rng: np.random.Generator) -> Skin:
    """The rear with window, lamps, the plate's recess, bumper and seams; the plate itself is laid on later."""
    sheet = Sheet(-1.05, 1.05, body.height_m + 0.05, look.paint)
    rows, columns = sheet.rows(), sheet.columns()
    sheet.colour *= (np.clip(0.7 + 0.36 * (rows - 0.25) / 0.6, 0.6, 1.0) * np.ones(sheet.shape, np.float32))[..., None]
    _window(sheet, body, look, rng)
    _seams_and_bumper(sheet, body, look)
    _recess(sheet, body, look, plate_size_m)
    _lamps(sheet, body, look)
    # Rounded edges catch less of the sky: a soft darkening towards the outline.
    edge = np.clip((np.abs(columns) - 0.72) / 0.25, 0, 1) * np.clip((body.belt_m - rows) / 0.2, 0, 1)
    shade(sheet.colour, f32(edge), 0.82)
    return sheet.skin()


def _window(sheet: Sheet, body: Body, look: Look, rng: np.random.Generator) -> None:
    low, high = body.window
    at_low = float(body.width_at(f32([low]))[0]) - 0.11
    at_high = float(body.width_at(f32([high]))[0]) - 0.07
    outline = ((-at_low, low), (at_low, low), (at_high, high), (-at_high, high))
    rubber = (
        (-at_low - 0.025, low - 0.03),
        (at_low + 0.025, low - 0.03),
        (at_high + 0.02, high + 0.02),
        (-at_high - 0.02, high + 0.02),
    )
    sheet.put(sheet.polygon(rubber, 0.05), (0.02, 0.02, 0.02), 0.25)
    glass = sheet.polygon(outline, 0.05)
    sheet.put(glass, glass_picture(sheet, low, high, rng), 0.9)
    for y in np.linspace(low + 0.05, high - 0.04, 9):
        lay(
            sheet.colour,
            sheet.box(-at_low + 0.1, float(y), at_low - 0.1, float(y) + 0.004) * glass,
            (0.10, 0.11, 0.14),
            0.35,
        )
    if body.name == "van":
        sheet.put(sheet.box(-0.05, low - 0.05, 0.05, high + 0.05), f32(look.paint) * 0.8, 0.2)
    if look.wiper and body.name != "saloon":
        sheet.put(
            sheet.polygon(((0.0, low + 0.02), (0.03, low + 0.03), (-0.34, low + 0.13), (-0.35, low + 0.12))),
            (0.015, 0.015, 0.015),
            0.1,
        )
        sheet.put(sheet.disc(0.0, low + 0.02, 0.03), (0.015, 0.015, 0.015), 0.1)
    high_lamp = sheet.box(-0.14, high + 0.035, 0.14, high + 0.055, 0.006)
    sheet.put(high_lamp, DARK_RED, 0.3)
    sheet.brake = np.maximum(sheet.brake, high_lamp)


def _seams_and_bumper(sheet: Sheet, body: Body, look: Look) -> None:
    low, bumper = body.window[0], 0.6 if body.height_m < 1.6 else 0.68
    inner = float(body.width_at(f32([0.8]))[0]) - body.lamp_width_m * 0.45
    at_high = float(body.width_at(f32([body.window[1]]))[0]) - 0.02
    if body.name == "van":
        for sign in (-1, 1):
            sheet.seam(
                ((0.0, bumper), (sign * 0.74, bumper), (sign * 0.7, body.height_m - 0.12), (0.0, body.height_m - 0.12))
            )
    else:
        top = body.window[1] + 0.03 if body.name != "saloon" else low - 0.06
        wide = at_high if body.name != "saloon" else inner - 0.02
        sheet.seam(
            (
                (-inner, bumper + 0.02),
                (inner, bumper + 0.02),
                (inner, low - 0.1),
                (wide, top),
                (-wide, top),
                (-inner, low - 0.1),
            ),
            0.05,
        )
    shade(sheet.colour, sheet.box(-1, bumper - 0.012, 1, bumper), 0.25)
    lay(sheet.colour, sheet.box(-1, bumper - 0.055, 1, bumper - 0.02), (1, 1, 1), 0.13)
    shade(
        sheet.colour,
        sheet.polygon(((-0.8, low - 0.16), (0.8, low - 0.16), (0.78, low - 0.1), (-0.78, low - 0.1)), 0.02),
        0.9,
    )
    if look.dark_bumper:
        sheet.put(
            sheet.polygon(
                (
                    (-1, 0.15),
                    (1, 0.15),
                    (1, bumper - 0.12),
                    (0.7, bumper - 0.06),
                    (-0.7, bumper - 0.06),
                    (-1, bumper - 0.12),
                ),
                0.03,
            ),
            PLASTIC,
            0.04,
        )
    diffuser = sheet.polygon(((-0.66, 0.15), (0.66, 0.15), (0.56, 0.37), (-0.56, 0.37)), 0.03)
    sheet.put(diffuser, PLASTIC, 0.03)
    shade(sheet.colour, sheet.box(-1, 0.1, 1, 0.27), 0.45)
    for sign in (-1, 1):
        x = sign * 0.66
        reflector = sheet.box(x - 0.09, 0.415, x + 0.09, 0.45, 0.012)
        sheet.put(reflector, RED, 0.35)
    sheet.put(sheet.disc(-0.48, 0.27, 0.05, 0.7), (0.4, 0.4, 0.42), 0.5)
    sheet.put(sheet.disc(-0.48, 0.27, 0.038, 0.7), (0.01, 0.01, 0.01), 0.0)


def _recess(sheet: Sheet, body: Body, look: Look, plate_size_m: tuple[float, float]) -> None:
    width, height = plate_size_m
    y, half = body.plate_y_m, width / 2 + 0.035
    hollow = (
        (-half - 0.03, y - height / 2 - 0.05),
        (half + 0.03, y - height / 2 - 0.05),
        (half, y + height / 2 + 0.05),
        (-half, y + height / 2 + 0.05),
    )
    mask = sheet.polygon(hollow, 0.03)
    rows = sheet.rows()
    depth = np.clip((rows - (y - height / 2 - 0.05)) / (height + 0.1), 0, 1)
    sheet.colour *= (1 - mask * (0.16 + 0.34 * depth**2))[..., None]
    sheet.gloss *= 1 - 0.75 * mask
    sheet.seam([(float(a), float(b)) for a, b in hollow], 0.03, 0.006)
    lay(sheet.colour, sheet.box(-half, y - height / 2 - 0.052, half, y - height / 2 - 0.043), (1, 1, 1), 0.22)
    top = y + height / 2 + 0.05
    if look.chrome:
        sheet.put(sheet.box(-half, top, half, top + 0.025, 0.01), CHROME, 0.75)
    for x in (-0.13, 0.13):
        sheet.put(sheet.box(x - 0.03, top - 0.022, x + 0.03, top - 0.006), (0.75, 0.85, 0.88), 0.2)
    if body.name != "van":
        badge_y = min(top + 0.105, body.window[0] - 0.075)
        sheet.put(sheet.disc(0.0, badge_y, 0.05), CHROME, 0.8)
        sheet.put(sheet.disc(0.0, badge_y, 0.038), f32(look.paint) * 0.5, 0.3)
        sheet.put(
            sheet.polygon(
                ((-0.03, badge_y - 0.01), (0.0, badge_y + 0.03), (0.03, badge_y - 0.01), (0.0, badge_y + 0.008))
            ),
            CHROME,
            0.8,
        )


def _lamps(sheet: Sheet, body: Body, look: Look) -> None:
    low, high = body.lamp
    rows, columns = sheet.rows(), sheet.columns()
    for sign in (-1, 1):
        outer_low = float(body.width_at(f32([low]))[0]) + 0.02
        outer_high = float(body.width_at(f32([high]))[0]) + 0.02
        inner_low, inner_high = outer_low - body.lamp_width_m, outer_high - body.lamp_width_m * 0.8
        shape = (
            (sign * inner_low, low + 0.02),
            (sign * outer_low, low),
            (sign * outer_high, high),
            (sign * inner_high, high - 0.01),
        )
        case = sheet.polygon([(x + sign * (-0.012 if abs(x) < 0.8 else 0), y) for x, y in shape], 0.03)
        sheet.put(case, (0.02, 0.02, 0.03), 0.4)
        middle = f32(shape).mean(axis=0)
        inset = [(float(x), float(y)) for x, y in middle + (f32(shape) - middle) * 0.93]
        lens = sheet.polygon(inset, 0.03)
        sheet.put(lens, RED, 0.42)
        ribs = 0.82 + 0.18 * np.cos(rows * 2 * np.pi / 0.028) * np.cos(columns * 2 * np.pi / 0.05)
        sheet.colour *= (1 + lens * (ribs - 1))[..., None]
        shade(sheet.colour, lens * np.clip((rows - low) / (high - low), 0, 1), 0.75)
        height = high - low
        white = (
            sheet.polygon(
                [
                    (sign * (inner_low + 0.03), low + 0.03 + 0.1 * height),
                    (sign * (outer_low - 0.1), low + 0.03 + 0.05 * height),
                    (sign * (outer_low - 0.1), low + 0.3 * height),
                    (sign * (inner_low + 0.04), low + 0.32 * height),
                ],
                0.012,
            )
            * lens
        )
        sheet.put(white, (0.55, 0.58, 0.6), 0.5)
        amber = (
            sheet.polygon(
                [
                    (sign * (inner_low + 0.05), low + 0.36 * height),
                    (sign * (outer_low - 0.08), low + 0.36 * height),
                    (sign * (outer_low - 0.08), low + 0.5 * height),
                    (sign * (inner_low + 0.05), low + 0.5 * height),
                ],
                0.01,
            )
            * lens
        )
        sheet.put(amber, (0.08, 0.3, 0.62), 0.4)
        glow = lens * np.clip((rows - low - 0.5 * height) / (0.12 * height), 0, 1)
        if look.lamp_style == 1:
            ring = np.clip(
                glow - sheet.polygon([(float(x), float(y)) for x, y in middle + (f32(shape) - middle) * 0.66], 0.02),
                0,
                1,
            )
            tail = ring
        else:
            tail = glow * (0.65 + 0.35 * ribs)
        sheet.brake = np.maximum(sheet.brake, f32(glow * (0.75 + 0.25 * ribs)))
        sheet.tail = np.maximum(sheet.tail, f32(tail * 0.75))
    if look.lamp_style == 2 and body.name != "van":
        bar = sheet.box(-0.62, high - 0.055, 0.62, high - 0.03, 0.008)
        if high - 0.055 > body.plate_y_m + 0.13:
            sheet.put(bar, DARK_RED, 0.4)
            sheet.tail = np.maximum(sheet.tail, bar)


def paint_front(body: Body, look: Look, rng: np.random.Generator) -> Skin:
    """The front of an oncoming car: windscreen, headlamps, grille and bumper; the plate is laid on later."""
    sheet = Sheet(-1.05, 1.05, body.height_m + 0.05, look.paint)
    rows = sheet.rows()
    sheet.colour *= (np.clip(0.72 + 0.32 * (rows - 0.25) / 0.6, 0.6, 1.0) * np.ones(sheet.shape, np.float32))[..., None]
    low, high = body.belt_m + 0.04, body.window[1] + 0.02
    at_low = float(body.width_at(f32([low]))[0]) - 0.05
    at_high = float(body.width_at(f32([high]))[0]) - 0.05
    outline = ((-at_low, low), (at_low, low), (at_high, high), (-at_high, high))
    sheet.put(sheet.polygon(outline, 0.05), glass_picture(sheet, low, high, rng), 0.9)
    lamp_y = body.lamp[0] - 0.04
    sheet.put(
        sheet.polygon(
            ((-0.5, lamp_y - 0.09), (0.5, lamp_y - 0.09), (0.58, lamp_y + 0.06), (-0.58, lamp_y + 0.06)), 0.03
        ),
        (0.02, 0.02, 0.02),
        0.15,
    )
    for k in range(4):
        sheet.put(sheet.box(-0.52, lamp_y - 0.07 + 0.033 * k, 0.52, lamp_y - 0.062 + 0.033 * k), CHROME, 0.5)
    sheet.put(sheet.disc(0.0, lamp_y, 0.055), CHROME, 0.8)
    sheet.put(sheet.polygon(((-0.72, 0.24), (0.72, 0.24), (0.62, 0.4), (-0.62, 0.4)), 0.04), PLASTIC, 0.05)
    for sign in (-1, 1):
        outer = float(body.width_at(f32([lamp_y]))[0]) + 0.02
        shape = (
            (sign * (outer - 0.38), lamp_y - 0.05),
            (sign * outer, lamp_y - 0.03),
            (sign * outer, lamp_y + 0.09),
            (sign * (outer - 0.3), lamp_y + 0.07),
        )
        lens = sheet.polygon(shape, 0.03)
        sheet.put(lens, (0.5, 0.5, 0.48), 0.6)
        lamp = sheet.disc(sign * (outer - 0.2), lamp_y + 0.015, 0.055)
        sheet.put(lamp, (0.85, 0.88, 0.9), 0.4)
        sheet.tail = np.maximum(sheet.tail, lamp)
    return sheet.skin()
