"""Contact sheets of plates that were read wrongly, for looking at: the surest errors first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from tools.evaluation.alignment import right_characters
from tools.evaluation.reading import PlateReading, plain
from tools.evaluation.runs import Image
from tools.evaluation.sets import read_picture

TILE_PX: Final = (264, 176)
"""Width and height of a tile: the crop above, truth, reading and confidences below."""
TEXT_PX: Final = 70
COLUMNS: Final = 5
ROWS: Final = 7
LARGEST_SCALE: Final = 6.0
TRUTH, RIGHT, WRONG, QUAD, DIM = (120, 255, 120), (235, 235, 235), (110, 110, 255), (255, 200, 0), (150, 150, 150)


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """A reading that is not exact, with its crop in BGR and a word on what happened."""

    reading: PlateReading
    crop: Image
    note: str = ""


def of_readings(readings: Iterable[PlateReading]) -> list[Failure]:
    """The readings that are not exact, with their crops."""
    return [Failure(r, read_picture(Path(r.name))) for r in readings if not r.exact]


def write_contact_sheets(failures: Sequence[Failure], folder: Path) -> list[Path]:
    """Writes the failures as `failures-00.png` and so on, the most confident first; returns the files.

    Sheets of an earlier run that would stay behind are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("failures-*.png"):
        old.unlink()
    ranked = sorted(failures, key=lambda f: (-f.reading.confidence, f.reading.name))
    files = []
    for start in range(0, len(ranked), COLUMNS * ROWS):
        tiles = [tile(f) for f in ranked[start : start + COLUMNS * ROWS]]
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
        rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
        file = folder / f"failures-{start // (COLUMNS * ROWS):02d}.png"
        cv2.imwrite(str(file), np.vstack(rows))
        files.append(file)
    return files


def tile(failure: Failure) -> Image:
    """One crop with the lines found, its truth (green), its reading with wrong characters red, BGR of `TILE_PX`."""
    width, height = TILE_PX
    reading = failure.reading
    canvas = np.full((height, width, 3), 32, np.uint8)
    canvas[:, -1], canvas[-1] = 70, 70
    crop = failure.crop
    scale = min((width - 9) / crop.shape[1], (height - TEXT_PX - 6) / crop.shape[0], LARGEST_SCALE)
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (width - size[0]) // 2, 4
    canvas[top : top + size[1], left : left + size[0]] = small
    for quad in reading.quads:
        corners = (np.array(quad) + 0.5) * scale + (left, top)
        cv2.polylines(canvas, [np.round(corners * 16).astype(np.int32)], True, QUAD, 1, cv2.LINE_AA, 4)
    _write(canvas, reading.truth, 6, height - 54, TRUTH, 0.5)
    _write(canvas, f"{reading.source[:9]} {Path(reading.name).stem[:12]} {failure.note}", 110, height - 54, DIM, 0.34)
    _write(canvas, f"{reading.confidence:.2f}", width - 42, height - 28, RIGHT, 0.45)
    pitch = min(22, (width - 52) // max(1, len(reading.text)))
    right = right_characters(reading.text, plain(reading.truth))
    for i, character in enumerate(reading.text):
        colour = RIGHT if right[i] else WRONG
        _write(canvas, character, 6 + i * pitch, height - 28, colour, 0.55)
        if i < len(reading.characters):
            _write(canvas, f"{min(99, int(100 * reading.characters[i])):02d}", 5 + i * pitch, height - 9, colour, 0.33)
    if not reading.text:
        _write(canvas, "(nothing)", 6, height - 28, WRONG, 0.5)
    return canvas


def _write(canvas: Image, text: str, x: int, y: int, colour: tuple[int, int, int], size: float) -> None:
    shown = text.encode("ascii", "replace").decode()
    cv2.putText(canvas, shown, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
