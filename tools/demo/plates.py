"""Number plates in formats of several countries, invented by seed and painted flat.

Letters that many countries leave out (I, O, Q) are left out everywhere, so that a text has one reading.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tools.demo.canvas import Bytes, Colour, Floats, f32, fractal_noise, pyramid, to_bytes
from tools.demo.fonts import font

PX_PER_M = 1400
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
WHITE: Colour = (0.93, 0.95, 0.94)
YELLOW: Colour = (0.12, 0.78, 0.96)
INK: Colour = (0.06, 0.05, 0.05)
BLUE: Colour = (0.56, 0.20, 0.03)


@dataclass(frozen=True, slots=True)
class Format:
    """How the plates of one country look; ``pattern`` has L for a letter, D for a digit, / for a new line."""

    country: str
    pattern: str
    width_m: float
    height_m: float
    face: str
    background: Colour = WHITE
    ink: Colour = INK
    band: str = ""  # the letters on the blue band at the left, none without a band
    right_band: bool = False
    title: str = ""  # small print over the registration
    prefixes: tuple[str, ...] = ()  # fixed beginnings, in place of the pattern's first group


FORMATS = (
    Format("RO", "L DD LLL", 0.52, 0.11, "euro", band="RO", prefixes=("B",)),
    Format("RO", "LL DD LLL", 0.52, 0.11, "euro", band="RO", prefixes=("CJ", "TM", "BV", "CT", "SB", "PH")),
    Format("DE", "LL=LL DDDD", 0.52, 0.11, "euro", band="D", prefixes=("M", "B", "HH", "K", "S", "KA")),
    Format("FR", "LL-DDD-LL", 0.52, 0.11, "wide", band="F", right_band=True),
    Format("IT", "LL DDDLL", 0.52, 0.11, "wide", band="I", right_band=True),
    Format("ES", "DDDD LLL", 0.52, 0.11, "wide", band="E"),
    Format("PL", "LL DDDDL", 0.52, 0.11, "euro", band="PL", prefixes=("WA", "KR", "GD", "WR")),
    Format("NL", "LL-DDD-L", 0.52, 0.11, "wide", background=YELLOW, band="NL"),
    Format("GB", "LLDD LLL", 0.52, 0.111, "bold", background=YELLOW),
    Format("SE", "LLL DDL", 0.52, 0.11, "wide", band="S"),
    Format("US-CA", "DLLLDDD", 0.305, 0.152, "road", ink=(0.36, 0.12, 0.08), title="California"),
    Format("US-TX", "LLL-DDDD", 0.305, 0.152, "road", title="TEXAS"),
    Format("HU", "LL LL/DDD", 0.30, 0.19, "euro", band="H"),
    Format("DE", "LL/LL DDD", 0.34, 0.20, "euro", band="D", prefixes=("M", "HB", "KA", "DD")),
)
MAIN_FORMATS = tuple(f for f in FORMATS if "/" not in f.pattern)


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A painted plate: mip levels of its picture (uint8 BGR, the finest at 1400 px a metre) and what it says."""

    text: str
    country: str
    width_m: float
    height_m: float
    levels: list[Bytes]


def invent(rng: np.random.Generator, style: Format) -> str:
    """A registration in the format's own symbols: with its spaces and hyphens, ``=`` for seals, ``/`` between lines."""
    groups: list[str] = []
    pattern = style.pattern
    if style.prefixes:
        cut = min(i for i in (pattern.find(" "), pattern.find("/"), pattern.find("="), len(pattern)) if i >= 0)
        groups.append(str(rng.choice(list(style.prefixes))))
        pattern = pattern[cut:]
    for symbol in pattern:
        if symbol == "L":
            groups.append(LETTERS[int(rng.integers(len(LETTERS)))])
        elif symbol == "D":
            groups.append(str(rng.integers(0, 10)))
        else:
            groups.append(symbol)
    return "".join(groups)


def registration(shown: str) -> str:
    """What a reader should make of it: A-Z and 0-9 alone, lines joined."""
    return "".join(c for c in shown if c.isalnum())


def make_plate(rng: np.random.Generator, style: Format) -> Plate:
    """Invents and paints one plate."""
    shown = invent(rng, style)
    picture = _paint(rng, style, shown)
    return Plate(registration(shown), style.country, style.width_m, style.height_m, pyramid(to_bytes(picture), 4))


def _paint(rng: np.random.Generator, style: Format, shown: str) -> Floats:
    width, height = round(style.width_m * PX_PER_M), round(style.height_m * PX_PER_M)
    lines = shown.split("/")
    text = Image.new("L", (width, height), 0)
    band_px = round(0.042 * PX_PER_M) if style.band else 0
    left, right = band_px, width - (band_px if style.right_band else 0)
    rim = round(0.006 * PX_PER_M)
    top = rim + round((0.030 if style.title else 0.008) * PX_PER_M)
    bottom = height - rim - round((0.03 if style.title else 0.008) * PX_PER_M)
    cap_px = round((bottom - top) / len(lines) * (0.87 if len(lines) == 1 else 0.84))
    for number, line in enumerate(lines):
        middle = top + (bottom - top) * (number + 0.5) / len(lines)
        _write(text, line, style.face, cap_px, (left + right) / 2, middle, (right - left) - 2 * rim - 0.02 * PX_PER_M)
    if style.title:
        _write(text, style.title, "bold", round(0.017 * PX_PER_M), width / 2, rim + 0.02 * PX_PER_M, width * 0.6)
    ink = f32(np.asarray(text)) * np.float32(1 / 255)
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = style.background
    # Pressed metal: the strokes' upper edges catch light, the lower ones throw a little shade.
    relief = cv2.GaussianBlur(ink, (0, 0), 2.2)
    slope = f32(np.roll(relief, 2, axis=0) - np.roll(relief, -2, axis=0))
    picture += (0.09 * slope)[..., None]
    picture += (f32(style.ink) - picture) * ink[..., None]
    _border(picture, style.ink if style.country in ("DE", "RO", "HU", "ES", "PL", "SE") else None)
    if style.band:
        _blue_band(picture, 0, band_px, style.band, stars=True)
    if style.right_band:
        _blue_band(picture, width - band_px, width, "", stars=False)
    if style.country == "DE" and len(lines) == 1:
        _seal(picture, ink, left, right)
    dirt = fractal_noise(rng, (height, width), 160, 4)
    picture *= (1 - 0.10 * rng.random() * dirt)[..., None]
    return picture


def _write(
    target: Image.Image, line: str, face: str, cap_px: int, middle_x: float, middle_y: float, room_px: float
) -> None:
    """Letters in even cells around a centre, as high as ``cap_px`` and no wider together than the room."""
    size = round(cap_px / 0.70)
    letters = font(face, size)
    widest = max(letters.getlength(c) for c in "HN0") * 1.02

    def advance(symbol: str) -> float:
        if symbol in " -=":
            return widest * {" ": 0.42, "-": 0.5, "=": 0.68}[symbol]
        return max(widest, letters.getlength(symbol) * 0.97)

    total = sum(advance(c) for c in line)
    layer = Image.new("L", (round(total) + 4, round(cap_px * 1.5)), 0)
    draw = ImageDraw.Draw(layer)
    x = 2.0
    base = round(cap_px * 1.25)
    for symbol in line:
        step = advance(symbol)
        if symbol not in " =":
            draw.text((x + step / 2, base), symbol, font=letters, fill=255, anchor="ms")
        x += step
    squeeze = min(1.0, room_px / max(total, 1))
    layer = layer.resize((max(1, round(layer.width * squeeze)), layer.height), Image.Resampling.LANCZOS)
    target.paste(255, (round(middle_x - layer.width / 2), round(middle_y + cap_px / 2 - base)), layer)


def _border(picture: Floats, ink: Colour | None) -> None:
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    inset = round(0.003 * PX_PER_M)
    corner = round(0.011 * PX_PER_M)
    _rounded(mask, inset, inset, width - inset, height - inset, corner, 255)
    line = round(0.0035 * PX_PER_M)
    _rounded(mask, inset + line, inset + line, width - inset - line, height - inset - line, corner - line, 0)
    colour = f32(ink) if ink else picture[height // 2, width // 2] * 0.75
    weight = cv2.GaussianBlur(f32(mask) / 255, (0, 0), 0.8)[..., None]
    picture += (colour - picture) * weight * (1.0 if ink else 0.5)


def _rounded(mask: NDArray[np.uint8], x0: int, y0: int, x1: int, y1: int, corner: int, value: int) -> None:
    cv2.rectangle(mask, (x0 + corner, y0), (x1 - corner, y1), value, -1)
    cv2.rectangle(mask, (x0, y0 + corner), (x1, y1 - corner), value, -1)
    for x in (x0 + corner, x1 - corner):
        for y in (y0 + corner, y1 - corner):
            cv2.circle(mask, (x, y), corner, value, -1)


def _blue_band(picture: Floats, x0: int, x1: int, letters: str, stars: bool) -> None:
    height = picture.shape[0]
    rim = round(0.004 * PX_PER_M)
    picture[rim : height - rim, x0 + (rim if x0 == 0 else 0) : x1 - (0 if x0 == 0 else rim)] = BLUE
    middle, star_y = (x0 + x1) / 2, 0.036 * PX_PER_M
    if not stars:
        return
    for k in range(12):
        angle = k * np.pi / 6
        spot = (round(middle + 0.0125 * PX_PER_M * np.sin(angle)), round(star_y + 0.0125 * PX_PER_M * np.cos(angle)))
        cv2.circle(picture, spot, round(0.0018 * PX_PER_M), (0.05, 0.8, 0.95), -1, cv2.LINE_AA)
    text = Image.new("L", (picture.shape[1], height), 0)
    _write(text, letters, "bold", round(0.019 * PX_PER_M), middle, height - 0.022 * PX_PER_M, (x1 - x0) * 0.8)
    weight = (f32(np.asarray(text)) / 255)[..., None]
    picture += (f32(WHITE) - picture) * weight


def _seal(picture: Floats, ink: Floats, left: int, right: int) -> None:
    """The round seals in the first gap of a German plate."""
    empty = np.flatnonzero(ink[:, left:right].max(axis=0) < 0.02)
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    inner = [r for r in runs if r[0] > 0.05 * PX_PER_M and r[-1] < (right - left) - 0.05 * PX_PER_M]
    if not inner:
        return
    widest = max(inner, key=len)
    middle = left + int(widest.mean())
    radius = min(len(widest) * 0.38, 0.0175 * PX_PER_M)
    for share, colour in ((0.3, (0.35, 0.55, 0.35)), (0.7, (0.6, 0.62, 0.64))):
        spot = (middle, round(picture.shape[0] * share))
        cv2.circle(picture, spot, round(radius), colour, -1, cv2.LINE_AA)
        cv2.circle(picture, spot, round(radius * 0.55), (0.8, 0.8, 0.8), 2, cv2.LINE_AA)
