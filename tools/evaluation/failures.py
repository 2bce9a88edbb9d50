"""Contact sheets of plates that were read wrongly, for looking at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from tools.evaluation.reading import PlateReading, plain
from tools.evaluation.runs import Image
from tools.evaluation.sets import read_picture

TILE_PX: Final = (240, 130)
"""Width and height of a tile: the crop above, truth and reading below."""
COLUMNS: Final = 6
ROWS: Final = 8


def write_contact_sheets(readings: Sequence[PlateReading], folder: Path) -> list[Path]:
    """Writes the readings that are not exact as `failures-00.png` and so on; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = [r for r in readings if not r.exact]
    files = []
    for start in range(0, len(wrong), COLUMNS * ROWS):
        tiles = [tile(r) for r in wrong[start : start + COLUMNS * ROWS]]
        blank = np.zeros_like(tiles[0])
        tiles += [blank] * (-len(tiles) % COLUMNS)
        rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
        file = folder / f"failures-{start // (COLUMNS * ROWS):02d}.png"
        cv2.imwrite(str(file), np.vstack(rows))
        files.append(file)
    return files


def tile(reading: PlateReading) -> Image:
    """One crop with its truth (green) and its reading (red) below, BGR of `TILE_PX`."""
    width, height = TILE_PX
    canvas = np.full((height, width, 3), 32, np.uint8)
    crop = read_picture(Path(reading.name))
    scale = min((width - 8) / crop.shape[1], (height - 48) / crop.shape[0])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left = (width - size[0]) // 2
    canvas[4 : 4 + size[1], left : left + size[0]] = small
    for text, colour, y in (
        (plain(reading.truth), (120, 255, 120), height - 26),
        (f"{reading.text} {reading.confidence:.2f}", (120, 120, 255), height - 8),
    ):
        cv2.putText(canvas, text, (6, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return canvas
