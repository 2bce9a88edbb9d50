"""Draws the shapes of the in-car view on a surface of SDL; texts and signs are made once and kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # its greeting would land on stdout

import pygame

from edge_client.displays.window_colours import Colour
from edge_client.displays.window_icons import Mask, icon, rounded
from edge_client.displays.window_shapes import Crop, Fill, Icon, Picture, Rect, Shape, Text
from edge_client.overlay import draw
from edge_client.types import Image, ShownFrame

_FONTS = "fontpkg_barlow_semi_condensed"
_FACE = "BarlowSemiCondensed-Bold.ttf"
_CAPITAL = 0.7  # of the em
_ELLIPSIS = "…"
_KEPT = 400
_LABEL_PART = 1 / 22
_TURN_STEP_DEG = 5


class Painter:
    """Draws on one surface after another; all calls from one thread."""

    def __init__(self, crop_of: Callable[[str], bytes]) -> None:
        """`crop_of` gives the JPEG of a read's plate, empty bytes without one."""
        pygame.font.init()
        self._crop_of = crop_of
        self._made: dict[object, pygame.Surface] = {}
        self._crop: tuple[bytes, Rect, float, pygame.Surface] | None = None

    def paint(self, screen: pygame.Surface, shapes: Sequence[Shape], shown: ShownFrame | None) -> None:
        """Draws the shapes in their order."""
        for shape in shapes:
            match shape:
                case Fill():
                    self._fill(screen, shape)
                case Text():
                    self._text(screen, shape)
                case Icon():
                    self._icon(screen, shape)
                case Picture():
                    if shown is not None:
                        _blit_bgr(screen, picture_of(shown, shape), shape.rect[:2])
                case Crop():
                    self._blit_crop(screen, shape)

    def _fill(self, screen: pygame.Surface, shape: Fill) -> None:
        if not shape.radius_px:
            screen.fill(shape.colour, shape.rect)
            return
        width, height = shape.rect[2:]
        key = ("fill", width, height, shape.radius_px, shape.colour)
        surface = self._kept(key, lambda: _coloured(rounded(width, height, shape.radius_px), shape.colour))
        screen.blit(surface, shape.rect[:2])

    def _icon(self, screen: pygame.Surface, shape: Icon) -> None:
        key = ("icon", shape.name, shape.rect[2], shape.colour, round(shape.turn_deg / _TURN_STEP_DEG))
        screen.blit(self._kept(key, lambda: _icon(shape)), shape.rect[:2])

    def _text(self, screen: pygame.Surface, shape: Text) -> None:
        if not shape.text:
            return
        left, top, width, height = shape.rect
        text, size = fitted((shape.text, *shape.shorter), width, shape.size_px, shape.least)
        face = font(size)
        surface = self._kept(("text", text, size, shape.colour), lambda: face.render(text, True, shape.colour))
        spare = width - surface.get_width()
        x = left + {"left": 0, "centre": spare // 2, "right": spare}[shape.align]
        baseline = top + (height + round(_CAPITAL * size)) // 2
        screen.blit(surface, (x, baseline - face.get_ascent()))

    def _blit_crop(self, screen: pygame.Surface, shape: Crop) -> None:
        jpeg = self._crop_of(shape.uid)
        if not jpeg:
            return
        kept = self._crop
        if kept is None or kept[0] is not jpeg or kept[1:3] != (shape.rect, shape.brightness):
            surface = _crop(jpeg, shape)
            if surface is None:
                return
            kept = self._crop = (jpeg, shape.rect, shape.brightness, surface)
        left, top, width, height = shape.rect
        surface = kept[3]
        screen.blit(surface, (left + (width - surface.get_width()) // 2, top + (height - surface.get_height()) // 2))

    def _kept(self, key: object, make: Callable[[], pygame.Surface]) -> pygame.Surface:
        surface = self._made.get(key)
        if surface is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            surface = self._made[key] = make()
        return surface


def picture_of(shown: ShownFrame, place: Picture) -> Image:
    """The frame in the size of its place, with its plates drawn so that they can be read there."""
    width, height = place.rect[2:]
    rows, columns = shown.frame.image.shape[:2]
    across, down = width / columns, height / rows
    small = _resized(shown.frame.image, width, height)
    boxes = tuple(
        replace(
            tracked,
            box=replace(
                tracked.box,
                xmin=tracked.box.xmin * across,
                xmax=tracked.box.xmax * across,
                ymin=tracked.box.ymin * down,
                ymax=tracked.box.ymax * down,
            ),
        )
        for tracked in (shown.boxes if place.plates else ())
    )
    scaled = replace(shown, frame=replace(shown.frame, image=small), boxes=boxes)
    drawn = draw(scaled, size_px=max(12, round(height * _LABEL_PART)), info=False)
    if place.brightness < 1.0:
        drawn = np.asarray(cv2.convertScaleAbs(drawn, alpha=place.brightness), np.uint8)
    return drawn


@lru_cache(maxsize=64)
def font(size_px: int) -> pygame.font.Font:
    """Barlow (SIL Open Font License), drawn after the plates and road signs of California; else SDL's own face."""
    try:
        return pygame.font.Font(str(files(_FONTS) / "files" / _FACE), size_px)
    except (ModuleNotFoundError, FileNotFoundError):
        return pygame.font.Font(None, size_px)


@lru_cache(maxsize=512)
def fitted(texts: tuple[str, ...], width_px: int, size_px: int, least: float) -> tuple[str, int]:
    """The first text that fits into the width, and its size; the last one is made smaller, then cut."""
    for text in texts:
        if font(size_px).size(text)[0] <= width_px:
            return text, size_px
    text, size = texts[-1], size_px
    while size > least * size_px and font(size).size(text)[0] > width_px:
        size -= 1
    face = font(size)
    if face.size(text)[0] <= width_px:
        return text, size
    while text and face.size(text.rstrip() + _ELLIPSIS)[0] > width_px:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS, size


def _resized(image: Image, width: int, height: int) -> Image:
    """To that size without aliasing: exact halves, which OpenCV makes eight times faster than other areas, first."""
    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        rows, columns = image.shape[0] // 2, image.shape[1] // 2
        even = image[: 2 * rows, : 2 * columns]
        image = np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _icon(shape: Icon) -> pygame.Surface:
    side = shape.rect[2]
    mask = icon(shape.name, side)
    turn_deg = round(shape.turn_deg / _TURN_STEP_DEG) * _TURN_STEP_DEG
    if turn_deg:
        centre = (side - 1) / 2
        turn = cv2.getRotationMatrix2D((centre, centre), -turn_deg, 1.0)
        mask = np.asarray(cv2.warpAffine(mask, turn, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
    return _coloured(mask, shape.colour)


def _coloured(mask: Mask, colour: Colour) -> pygame.Surface:
    height, width = mask.shape
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = mask
    return pygame.image.frombytes(pixels.tobytes(), (width, height), "RGBA")


def _crop(jpeg: bytes, shape: Crop) -> pygame.Surface | None:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    rows, columns = image.shape[:2]
    scale = min(shape.rect[2] / columns, shape.rect[3] / rows)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    scaled = cv2.convertScaleAbs(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), alpha=shape.brightness)
    mask = rounded(size[0], size[1], max(2, size[1] // 10))
    pixels = np.dstack([scaled[..., ::-1], mask])
    return pygame.image.frombytes(pixels.tobytes(), size, "RGBA")


def _blit_bgr(screen: pygame.Surface, image: Image, place: tuple[int, int]) -> None:
    image = np.ascontiguousarray(image)
    screen.blit(pygame.image.frombuffer(image.data, (image.shape[1], image.shape[0]), "BGR"), place)
