"""Drawing reads into a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import PlateRead, plate_text

_COLOUR = (64, 200, 32)  # BGR
_INK = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(picture: NDArray[np.uint8], plates: Sequence[PlateRead]) -> NDArray[np.uint8]:
    """A copy of the picture, uint8 BGR (height, width, 3), with a box and the text at each plate."""
    drawn = picture.copy()
    height, width = drawn.shape[:2]
    line = max(1, round(max(height, width) / 480))
    scale = max(0.4, max(height, width) / 1400)
    for plate in plates:
        low = (round(plate.box.xmin), round(plate.box.ymin))
        high = (round(plate.box.xmax), round(plate.box.ymax))
        cv2.rectangle(drawn, low, high, _COLOUR, line, cv2.LINE_AA)
        if text := plate_text(plate.words):
            _label(drawn, text, low, high, scale, line)
    return drawn


def _label(
    drawn: NDArray[np.uint8], text: str, low: tuple[int, int], high: tuple[int, int], scale: float, line: int
) -> None:
    (text_width, text_height), descent = cv2.getTextSize(text, _FONT, scale, line)
    margin = max(2, text_height // 3)
    tall = text_height + descent + 2 * margin
    wide = text_width + 2 * margin
    # Above the box where there is room, else below it; never out at the sides.
    top = low[1] - tall if low[1] >= tall else max(0, min(high[1], drawn.shape[0] - tall))
    left = max(0, min(low[0], drawn.shape[1] - wide))
    cv2.rectangle(drawn, (left, top), (left + wide, top + tall), _COLOUR, cv2.FILLED)
    origin = (left + margin, top + margin + text_height)
    cv2.putText(drawn, text, origin, _FONT, scale, _INK, line, cv2.LINE_AA)
