"""Glyph masks of one font at a fixed height, cut tightly and kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tools.training.synthetic.fonts import style_of

CAP_HEIGHT_PX = 96
SMALL_PRINT_PX = 36
KEPT_TEXTS = 64


class Glyphs:
    """The characters of one font as masks: (H, W) uint8, 0 outside the stroke and 255 inside."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.style = style_of(path.stem)
        probe = ImageFont.truetype(str(path), 200)
        _, top, _, bottom = probe.getbbox("H")
        self._font = ImageFont.truetype(str(path), round(200 * CAP_HEIGHT_PX / max(1.0, bottom - top)))
        self._small = ImageFont.truetype(str(path), SMALL_PRINT_PX)
        self._masks: dict[str, NDArray[np.uint8]] = {}
        self._texts: dict[str, NDArray[np.uint8]] = {}

    def mask(self, character: str) -> NDArray[np.uint8]:
        """The tight mask of one letter or digit, about 96 px high."""
        if character not in self._masks:
            self._masks[character] = _tight(self._font, character)
        return self._masks[character]

    def text(self, text: str) -> NDArray[np.uint8]:
        """The tight mask of a line of small print, about 36 px high."""
        if text not in self._texts:
            if len(self._texts) >= KEPT_TEXTS:
                self._texts.clear()
            self._texts[text] = _tight(self._small, text)
        return self._texts[text]


def sheared(mask: NDArray[np.uint8], slope: float) -> NDArray[np.uint8]:
    """A mask leaning to the right by ``slope`` (pixels across per pixel of height), widened by what it leans."""
    height, width = mask.shape
    lean = abs(slope) * height
    matrix = np.array([[1, -slope, lean if slope > 0 else 0], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(mask, matrix, (round(width + lean), height), flags=cv2.INTER_LINEAR), np.uint8)


def _tight(font: ImageFont.FreeTypeFont, text: str) -> NDArray[np.uint8]:
    left, top, right, bottom = (round(v) for v in font.getbbox(text))
    picture = Image.new("L", (max(1, right - left) + 8, max(1, bottom - top) + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, font=font, fill=255)
    pixels = np.asarray(picture, dtype=np.uint8)
    x, y, w, h = cv2.boundingRect((pixels > 127).astype(np.uint8))
    return pixels[y : y + h, x : x + w] if w and h else np.zeros((8, 8), np.uint8)
