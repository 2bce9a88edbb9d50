"""What stands on a plate beside its characters: paper, bands, seals, small print, screws."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.synthetic.glyphs import Glyphs

Grey = NDArray[np.float32]


def pick(choices: Sequence[str], rng: np.random.Generator, probability: float) -> str:
    """One of the choices with the given probability, else nothing."""
    return choices[int(rng.integers(len(choices)))] if choices and rng.random() < probability else ""


def smooth_noise(height: int, width: int, cells: int, rng: np.random.Generator) -> Grey:
    """Low-frequency noise in -1..1, (height, width)."""
    coarse = rng.uniform(-1, 1, (cells, max(2, cells * width // max(1, height)))).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def paper(height: int, width: int, level: float, scenery: bool, rng: np.random.Generator) -> Grey:
    """The plate's ground: even, or with a gradient or a pale scene where plates have pictures."""
    image = np.full((height, width), level, np.float32)
    if rng.random() < 0.5:
        image += smooth_noise(height, width, 2, rng) * rng.uniform(2, 12)
    if scenery and rng.random() < 0.6:
        image += np.linspace(-1, 1, height, dtype=np.float32)[:, None] * rng.uniform(-35, 35)
        if rng.random() < 0.5:
            image += smooth_noise(height, width, int(rng.integers(2, 6)), rng) * rng.uniform(5, 30)
        if rng.random() < 0.45:
            _scene(image, rng)
    return image


def _scene(image: Grey, rng: np.random.Generator) -> None:
    """A pale picture behind the characters: hills, a sun, a tree, stripes."""
    height, width = image.shape
    layer = np.zeros_like(image)
    for _ in range(int(rng.integers(1, 4))):
        kind = rng.random()
        if kind < 0.4:
            xs = np.linspace(0, width, int(rng.integers(4, 9)))
            ys = height * (rng.uniform(0.3, 0.9) + rng.uniform(-0.2, 0.2, len(xs)))
            outline = np.concatenate([np.stack([xs, ys], 1), [[width, height], [0, height]]])
            cv2.fillPoly(layer, [np.round(outline).astype(np.int32)], rng.uniform(0.3, 1.0))
        elif kind < 0.75:
            centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
            axes = (int(height * rng.uniform(0.1, 0.6)), int(height * rng.uniform(0.1, 0.6)))
            cv2.ellipse(layer, centre, axes, rng.uniform(0, 180), 0, 360, rng.uniform(0.3, 1.0), -1)
        else:
            for x in range(0, width, int(rng.integers(12, 60))):
                cv2.line(layer, (x, 0), (x + int(rng.integers(-40, 40)), height), 1.0, int(rng.integers(1, 8)))
    image += cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.7, 3.0)) * rng.uniform(-55, 35)


def stamp(
    ink: Grey, mask: NDArray[np.uint8], x: float, y: float, width: float, height: float, strength: float = 1.0
) -> None:
    """Add a glyph mask to the ink layer (0..1) with subpixel position, stretched to width x height."""
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    w, h = int(np.ceil(x + width)) - x0, int(np.ceil(y + height)) - y0
    if w < 1 or h < 1:
        return
    interpolation = cv2.INTER_AREA if mask.shape[0] > h else cv2.INTER_LINEAR
    scaled = cv2.resize(mask, (max(1, round(width)), max(1, round(height))), interpolation=interpolation)
    sx0, sy0 = max(0, -x0), max(0, -y0)
    ex, ey = min(scaled.shape[1], ink.shape[1] - x0), min(scaled.shape[0], ink.shape[0] - y0)
    if ex <= sx0 or ey <= sy0:
        return
    part = ink[y0 + sy0 : y0 + ey, x0 + sx0 : x0 + ex]
    np.maximum(part, scaled[sy0:ey, sx0:ex].astype(np.float32) * (strength / 255), out=part)


def small_print(
    ink: Grey, text: str, centre_x: float, centre_y: float, height: float, room: float, glyphs: Glyphs
) -> None:
    """A line of small print, centred, no wider than ``room``."""
    mask = glyphs.text(text)
    height = min(height, ink.shape[0] * 0.2)
    width = min(mask.shape[1] / mask.shape[0] * height, room * 0.95)
    stamp(ink, mask, centre_x - width / 2, centre_y - height / 2, width, height)


def bands(image: Grey, band: str, level: float, glyphs: Glyphs, rng: np.random.Generator) -> tuple[float, float]:
    """Paint the coloured strips; returns the left and right ends of the room for characters, in pixels."""
    height, width = image.shape
    left, right = width * 0.02, width * 0.98
    shade = rng.uniform(20, 130) if level > 110 else rng.uniform(60, 200)
    strip = rng.uniform(0.07, 0.1) * width
    country = "".join(chr(65 + rng.integers(26)) for _ in range(rng.integers(1, 4)))
    absent = rng.random() < 0.25
    if band in ("left", "both") and not absent:
        _strip(image, 0, round(strip), shade, country, glyphs, rng)
        left = strip * 1.06
    if (band == "right" or (band == "both" and rng.random() < 0.8)) and not absent:
        _strip(image, round(width - strip), width, shade, country[:1], glyphs, rng)
        right = width - strip * 1.06
    if band == "top":
        image[: round(height * 0.24)] = shade
        layer = np.zeros_like(image)
        small_print(
            layer,
            "BRASIL" if rng.random() < 0.7 else "ARGENTINA",
            width / 2,
            height * 0.12,
            height * 0.13,
            width * 0.5,
            glyphs,
        )
        image += layer * (235 - image)
        if rng.random() < 0.7:
            cv2.rectangle(
                image, (round(width * 0.9), round(height * 0.04)), (round(width * 0.97), round(height * 0.2)), 160.0, -1
            )
        if rng.random() < 0.6:
            _square_code(image, round(width * 0.03), round(height * 0.28), round(height * rng.uniform(0.12, 0.2)), rng)
        left = width * 0.06
    return left, right


def _square_code(image: Grey, x: int, y: int, size: int, rng: np.random.Generator) -> None:
    cells = (rng.random((7, 7)) < 0.5).astype(np.float32)
    code = cv2.resize(cells, (size, size), interpolation=cv2.INTER_NEAREST)
    room = image[y : y + size, x : x + size]
    room[:] = 225 - 190 * code[: room.shape[0], : room.shape[1]]


def _strip(image: Grey, x0: int, x1: int, shade: float, country: str, glyphs: Glyphs, rng: np.random.Generator) -> None:
    height = image.shape[0]
    image[:, x0:x1] = shade
    layer = np.zeros_like(image)
    middle, wide = (x0 + x1) / 2, x1 - x0
    if rng.random() < 0.8:
        high = height * rng.uniform(0.14, 0.24)
        width = min(high * 0.7 * len(country), wide * 0.9)
        stamp(layer, glyphs.text(country), middle - width / 2, height * 0.7, width, high)
    if rng.random() < 0.8:
        radius = wide * 0.3
        for angle in np.arange(0, 2 * np.pi, np.pi / 6):
            point = (round(middle + radius * np.cos(angle)), round(height * 0.3 + radius * np.sin(angle)))
            cv2.circle(layer, point, max(1, wide // 18), 1.0, -1)
    image += layer * (rng.uniform(180, 240) - image)


def between(ink: Grey, kind: str, x: float, y: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Draw the ornament that stands between groups of characters."""
    cx, cy = x + width / 2, y + height / 2
    thick = max(1, round(height * 0.1))
    if kind == "hyphen" and rng.random() < 0.85:
        cv2.line(ink, (round(x + width * 0.2), round(cy)), (round(x + width * 0.8), round(cy)), 1.0, thick)
    elif kind == "dot":
        where = cy if rng.random() < 0.6 else y + height * 0.93
        cv2.circle(ink, (round(cx), round(where)), thick, 1.0, -1)
    elif kind == "dots":
        for part in (0.3, 0.7):
            cv2.circle(ink, (round(cx), round(y + part * height)), thick, 1.0, -1)
    elif kind == "seal":
        for part in (0.28, 0.72) if rng.random() < 0.4 else (0.5,):
            _seal(ink, cx, y + part * height, min(width, height * 0.42) * rng.uniform(0.4, 0.52), rng)
    elif kind == "bar":
        cv2.line(
            ink, (round(cx), round(y - height * 0.2)), (round(cx), round(y + height * 1.2)), 1.0, max(1, thick // 2)
        )
    elif kind == "foreign":
        _strokes(ink, cx, cy, width * 0.8, height * 0.8, rng)
    elif kind == "emblem":
        _emblem(ink, cx, cy, width * 0.8, height * rng.uniform(0.45, 0.85), rng)


def _seal(ink: Grey, cx: float, cy: float, radius: float, rng: np.random.Generator) -> None:
    centre = (round(cx), round(cy))
    cv2.circle(ink, centre, max(2, round(radius)), rng.uniform(0.3, 0.9), -1 if rng.random() < 0.6 else 2)
    cv2.circle(ink, centre, max(1, round(radius * 0.5)), rng.uniform(0.0, 0.9), -1)


def _emblem(ink: Grey, cx: float, cy: float, width: float, height: float, rng: np.random.Generator) -> None:
    """A shield, a wheelchair, a map-like blob, or strokes like a foreign script."""
    kind = rng.random()
    if kind < 0.3:
        _seal(ink, cx, cy, min(width, height) / 2, rng)
    elif kind < 0.4:
        _wheelchair(ink, cx, cy, min(width, height) * rng.uniform(0.8, 1.2))
    elif kind < 0.7:
        points = np.stack([cx + rng.uniform(-0.5, 0.5, 9) * width, cy + rng.uniform(-0.5, 0.5, 9) * height], axis=1)
        cv2.fillConvexPoly(ink, cv2.convexHull(np.round(points).astype(np.int32)), rng.uniform(0.25, 0.9))
    else:
        _strokes(ink, cx, cy, width, height, rng)


def _wheelchair(ink: Grey, cx: float, cy: float, size: float) -> None:
    thick = max(1, round(size * 0.1))
    cv2.circle(ink, (round(cx - 0.05 * size), round(cy + 0.18 * size)), max(2, round(size * 0.28)), 1.0, thick)
    cv2.circle(ink, (round(cx - 0.1 * size), round(cy - 0.42 * size)), max(1, round(size * 0.09)), 1.0, -1)
    joints = [(-0.1, -0.3), (-0.08, 0.05), (0.2, 0.05), (0.32, 0.4), (0.42, 0.36)]
    outline = np.array([[round(cx + x * size), round(cy + y * size)] for x, y in joints], np.int32)
    cv2.polylines(ink, [outline], False, 1.0, thick, cv2.LINE_AA)


def _strokes(ink: Grey, cx: float, cy: float, width: float, height: float, rng: np.random.Generator) -> None:
    """Strokes like a script that is not read."""
    points = np.stack([cx + rng.uniform(-0.5, 0.5, 9) * width, cy + rng.uniform(-0.5, 0.5, 9) * height], axis=1)
    outline = np.round(points).astype(np.int32)
    pieces = [outline[:3], outline[3:6], outline[6:]]
    cv2.polylines(ink, pieces, False, 1.0, max(1, round(height * 0.07)), cv2.LINE_AA)
    for piece in pieces:
        if rng.random() < 0.5:
            cv2.circle(ink, (int(piece[0][0]), int(piece[0][1])), max(1, round(height * 0.05)), 1.0, -1)


def border(ink: Grey, rng: np.random.Generator) -> None:
    """The line that many plates have around their edge."""
    if rng.random() < 0.6:
        height, width = ink.shape
        inset = int(rng.integers(0, 6))
        cv2.rectangle(ink, (inset, inset), (width - 1 - inset, height - 1 - inset), 1.0, int(rng.integers(2, 6)))


def screws(image: Grey, rng: np.random.Generator) -> None:
    """Bolts and stickers: small discs and patches, mostly near the edge."""
    height, width = image.shape
    if rng.random() < 0.45:
        radius = max(2, round(height * rng.uniform(0.025, 0.06)))
        y = round(height * rng.choice([0.12, 0.5, 0.88]))
        offset = rng.uniform(0.04, 0.25) * width
        for x in (offset, width - offset):
            cv2.circle(image, (round(x), y), radius, rng.uniform(10, 240), -1)
            cv2.circle(image, (round(x), y), radius, rng.uniform(10, 240), 1)
    if rng.random() < 0.15:
        for _ in range(int(rng.integers(1, 4))):
            centre = (int(rng.integers(0, width)), round(height * rng.uniform(0.25, 0.8)))
            cv2.circle(image, centre, max(2, round(height * rng.uniform(0.02, 0.05))), rng.uniform(10, 240), -1)
    if rng.random() < 0.25:
        x, y = rng.uniform(0.02, 0.9) * width, rng.choice([0.03, 0.85]) * height
        size = height * rng.uniform(0.08, 0.16)
        cv2.rectangle(image, (round(x), round(y)), (round(x + size * 1.4), round(y + size)), rng.uniform(60, 220), -1)


def stickers(image: Grey, glyphs: Glyphs, rng: np.random.Generator) -> None:
    """Month and year stickers in the corners, printed with a few small signs."""
    height, width = image.shape
    for corner_x, corner_y in ((0.03, 0.05), (0.85, 0.05), (0.03, 0.8), (0.85, 0.8)):
        if rng.random() > 0.3:
            continue
        wide, high = width * rng.uniform(0.08, 0.13), height * rng.uniform(0.1, 0.17)
        x, y = width * (corner_x + rng.uniform(-0.02, 0.02)), height * corner_y
        shade = rng.uniform(20, 245)
        cv2.rectangle(image, (round(x), round(y)), (round(x + wide), round(y + high)), shade, -1)
        layer = np.zeros_like(image)
        text = pick(("15", "08", "JAN", "APR 12", "SEP", "2013", "DEC", "99", "TX 07", "0451922"), rng, 0.9)
        if text:
            small_print(layer, text, x + wide / 2, y + high / 2, high * 0.7, wide, glyphs)
            image += layer * ((245 if shade < 130 else 15) - image)
