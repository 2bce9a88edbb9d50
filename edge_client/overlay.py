"""Draws what is known about a frame onto a copy of it: plate boxes with their reads and cars, time and position.

Pure and cheap (about 1 ms at 1280x720): texts are rendered once into small premultiplied patches and
blended from then on. The text drawn by OpenCV is anti-aliased; its Hershey interface keeps it the same call
for OpenCV 4 and 5.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from edge_client.types import Frame, Image, ShownFrame, TrackedBox

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""

SURE: Colour = (140, 214, 72)
UNSURE: Colour = (72, 186, 255)
UNREAD: Colour = (236, 196, 140)
_WHITE: Colour = (255, 255, 255)
_DIM: Colour = (205, 205, 205)
_BACK: Colour = (26, 20, 16)

SURE_FROM = 0.8
"""Reads of at least this confidence are drawn in the colour of a sure read."""

_STALE_FIX_S = 5.0

_Rect = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class _Patch:
    """A rendered label: colour times opacity, and 255 minus opacity; both uint8 (height, width, 3)."""

    premultiplied: Image
    transparency: Image


_Span = tuple[str, Colour, bool]  # text, colour, bold


def draw(shown: ShownFrame, *, size_px: int | None = None, info: bool = True, blind: bool = False) -> Image:
    """The frame with its boxes, reads, time and position drawn on it.

    Args:
        shown: a frame as it leaves the reassembly.
        size_px: height of a capital beside a plate; None for one that suits the picture.
        info: whether time and position are drawn.
        blind: mark it as one for which nobody has looked for plates lately, beside time and position.

    Returns:
        A new picture of the frame's size, uint8 BGR; the frame's own picture is left as it is.
    """
    canvas = shown.frame.image.copy()
    height, width = canvas.shape[:2]
    if height < 48 or width < 64:
        return canvas  # nothing would be legible
    size = size_px or max(11, round(18 * min(height / 720, width / 960)))
    taken: list[_Rect] = []
    # The surest read is labelled first and so gets the best place.
    for tracked in sorted(shown.boxes, key=lambda t: t.confidence or 0.0, reverse=True):
        _draw_box(canvas, tracked)
        _draw_label(canvas, tracked, size, taken)
    if info:
        _draw_info(canvas, shown.frame, max(10, round(size * 0.78)), blind=blind)
    return canvas


def position_text(latitude_deg: float, longitude_deg: float) -> str:
    """WGS 84 degrees for people: `45.75372 N 21.22571 E`."""
    north = "N" if latitude_deg >= 0 else "S"
    east = "E" if longitude_deg >= 0 else "W"
    return f"{abs(latitude_deg):.5f} {north} {abs(longitude_deg):.5f} {east}"


def percent_text(confidence: float) -> str:
    """A confidence for people, rounded down: nothing is ever `100%` sure."""
    return f"{min(99, int(confidence * 100))}%"


def colour_of(text: str | None, confidence: float | None) -> Colour:
    """The colour that stands for how sure a read is."""
    if not text:
        return UNREAD
    return SURE if (confidence or 0.0) >= SURE_FROM else UNSURE


def _draw_box(canvas: Image, tracked: TrackedBox) -> None:
    """A fine frame with strong corners; only the corners where the box was carried over."""
    height, width = canvas.shape[:2]
    box = tracked.box
    left, right = (round(min(max(x, 0), width - 1)) for x in (box.xmin, box.xmax))
    top, bottom = (round(min(max(y, 0), height - 1)) for y in (box.ymin, box.ymax))
    colour = colour_of(tracked.text, tracked.confidence)
    thick = max(2, round(3 * height / 720))
    # One pixel of air, so that the frame does not cover the characters' edge.
    left, top, right, bottom = left - thick, top - thick, right + thick, bottom + thick
    if not tracked.carried:
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, 1)
    arm = max(5, min(right - left, bottom - top) // 3)
    for x, dx in ((left, 1), (right, -1)):
        for y, dy in ((top, 1), (bottom, -1)):
            cv2.line(canvas, (x, y), (x + dx * arm, y), colour, thick)
            cv2.line(canvas, (x, y), (x, y + dy * arm), colour, thick)


def _draw_label(canvas: Image, tracked: TrackedBox, size: int, taken: list[_Rect]) -> None:
    colour = colour_of(tracked.text, tracked.confidence)
    spans: tuple[_Span, ...] = ((tracked.text, _WHITE, True),) if tracked.text else ()
    if tracked.text and tracked.confidence is not None:
        spans += ((percent_text(tracked.confidence), colour, False),)
    if tracked.vehicle:
        spans += ((_plain(tracked.vehicle), _WHITE, False),)
    if not spans:
        return  # the box alone says "seen, not read yet"
    patch = _label(spans, size, colour)
    rect = _place(patch, tracked, canvas.shape[1], canvas.shape[0], taken)
    taken.append(rect)
    _blend(canvas, patch, rect[0], rect[1])


def _plain(text: str) -> str:
    """The text in the letters that OpenCV can draw: without accents."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def _place(patch: _Patch, tracked: TrackedBox, width: int, height: int, taken: list[_Rect]) -> _Rect:
    """Above the box, else below it, else higher: the first place inside the picture that no other label
    has.
    """
    label_h, label_w = patch.premultiplied.shape[:2]
    gap = max(5, height // 110)
    left = round(min(max(tracked.box.xmin - gap // 2, 0), max(width - label_w, 0)))
    above = round(tracked.box.ymin) - gap - label_h
    below = round(tracked.box.ymax) + gap
    candidates = (above, below, above - label_h - 2, below + label_h + 2)
    rects = [(left, y, left + label_w, y + label_h) for y in candidates if 0 <= y <= height - label_h]
    for rect in rects:
        if not any(_overlap(rect, other) for other in taken):
            return rect
    y = min(max(above, 0), max(height - label_h, 0))
    return rects[0] if rects else (left, y, left + label_w, y + label_h)


def _overlap(a: _Rect, b: _Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_info(canvas: Image, frame: Frame, size: int, *, blind: bool) -> None:
    """Time and position in the lower left corner, the position in a second line where the width asks for
    it.
    """
    clock = f"{frame.captured_utc:%Y-%m-%d  %H:%M:%S} UTC"
    if frame.fix is None:
        place: tuple[_Span, ...] = (("no GPS fix", _DIM, False),)
    else:
        place = ((position_text(frame.fix.latitude_deg, frame.fix.longitude_deg), _WHITE, False),)
        if frame.fix_age_s is not None and frame.fix_age_s > _STALE_FIX_S:
            place += ((f"{frame.fix_age_s:.0f} s old", UNSURE, False),)
        elif frame.fix.speed_mps is not None:
            place += ((f"{frame.fix.speed_mps * 3.6:.0f} km/h", _WHITE, False),)
    if blind:
        place += (("plates not looked for", UNSURE, False),)
    height, width = canvas.shape[:2]
    margin = max(4, size // 2)
    patch = _label(((clock, _WHITE, False), *place), size, None)
    patches = [patch]
    if patch.premultiplied.shape[1] + 2 * margin > width:
        patches = [_label(place, size, None), _label(((clock, _WHITE, False),), size, None)]
    bottom = height - margin
    for patch in patches:
        bottom -= patch.premultiplied.shape[0]
        _blend(canvas, patch, margin, bottom)
        bottom -= 2


@lru_cache(maxsize=256)
def _label(spans: tuple[_Span, ...], size: int, accent: Colour | None) -> _Patch:
    """Renders spans of text side by side on a dark rounded ground; `size` is the height of a capital in
    pixels.
    """
    faces = {True: cv2.FONT_HERSHEY_DUPLEX, False: cv2.FONT_HERSHEY_SIMPLEX}
    scale = size / 22  # a capital of scale 1 is about 22 px high
    pad = round(size * 0.62)
    gap = round(size * 0.7)
    widths = [cv2.getTextSize(text, faces[bold], scale, 1)[0][0] for text, _, bold in spans]
    height = size + 2 * round(size * 0.55)
    bar = max(3, size // 5) if accent else 0
    width = sum(widths) + gap * (len(spans) - 1) + 2 * pad + bar
    ground = np.full((height, width, 3), _BACK, np.uint8)
    if accent:
        ground[:, :bar] = accent
    baseline = (height + size) // 2
    x = pad + bar
    for (text, colour, bold), text_width in zip(spans, widths, strict=True):
        cv2.putText(ground, text, (x, baseline), faces[bold], scale, colour, 1, cv2.LINE_AA)
        x += text_width + gap
    opacity = np.full((height, width), 200, np.uint8)
    # Text and accent stand fully opaque on the translucent ground.
    distance = np.abs(ground.astype(np.int16) - np.array(_BACK, np.int16)).max(axis=2)
    opacity = np.maximum(opacity, np.clip(200 + distance, 0, 255).astype(np.uint8))
    alpha = np.repeat((opacity.astype(np.uint16) * _rounded(height, width, size // 3) // 255)[..., None], 3, axis=2)
    premultiplied = (ground.astype(np.uint16) * alpha // 255).astype(np.uint8)
    patch = _Patch(premultiplied, (255 - alpha).astype(np.uint8))
    patch.premultiplied.setflags(write=False)  # shared by every frame that shows this text
    patch.transparency.setflags(write=False)
    return patch


def _rounded(height: int, width: int, radius: int) -> Image:
    """An anti-aliased mask of a rectangle with rounded corners, uint8 (height, width), drawn four times
    larger.
    """
    big = np.zeros((height * 4, width * 4), np.uint8)
    r = radius * 4
    cv2.rectangle(big, (r, 0), (width * 4 - 1 - r, height * 4 - 1), 255, cv2.FILLED)
    cv2.rectangle(big, (0, r), (width * 4 - 1, height * 4 - 1 - r), 255, cv2.FILLED)
    for x in (r, width * 4 - 1 - r):
        for y in (r, height * 4 - 1 - r):
            cv2.circle(big, (x, y), r, 255, cv2.FILLED)
    return np.asarray(cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _blend(canvas: Image, patch: _Patch, left: int, top: int) -> None:
    """Lays a patch over the canvas at (left, top), cut at the canvas' borders."""
    height, width = patch.premultiplied.shape[:2]
    under = canvas[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    rows, columns = under.shape[:2]
    if not (rows and columns):
        return
    y, x = max(-top, 0), max(-left, 0)
    part = slice(y, y + rows), slice(x, x + columns)
    dimmed = cv2.multiply(under, patch.transparency[part], scale=1 / 255)
    under[:] = cv2.add(dimmed, patch.premultiplied[part])
