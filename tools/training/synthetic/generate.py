"""Endless synthetic crops from a seed, and the command that keeps many of them in one file."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from tools.training.synthetic.fonts import FANCY, FOREIGN, PLATE, font_files
from tools.training.synthetic.glyphs import Glyphs
from tools.training.synthetic.render import choose_layout, render
from tools.training.synthetic.scene import Crop, photograph
from tools.training.synthetic.store import Store


def crop_of(seed: int, number: int, fonts: Sequence[Glyphs]) -> Crop:
    """The ``number``-th crop of a seed; independent of all others, so work can be split at will."""
    rng = np.random.default_rng((seed, number))
    layout = choose_layout(rng)
    scripts = [font for font in fonts if font.style == FOREIGN]
    style = FANCY if rng.random() < layout.fancy else PLATE
    fitting = [font for font in fonts if font.style == style] or [font for font in fonts if font.style != FOREIGN]
    glyphs = fitting[int(rng.integers(len(fitting)))]
    return photograph(render(layout, glyphs, rng, scripts), glyphs, rng)


def crops(seed: int, fonts: Sequence[Glyphs], start: int = 0) -> Iterator[Crop]:
    """Crops ``start``, ``start + 1``, … without end."""
    return (crop_of(seed, number, fonts) for number in itertools.count(start))


def contact_sheet(pictures: Sequence[Crop], columns: int = 6) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Crops with their texts on one (H, W) uint8 sheet, for human eyes."""
    cells = []
    for crop in pictures:
        height, width = crop.image.shape
        scale = min(240 / width, 90 / height)
        picture = cv2.resize(crop.image, (max(1, int(width * scale)), max(1, int(height * scale))))
        cell = np.full((110, 240), 128, np.uint8)
        cell[: picture.shape[0], : picture.shape[1]] = picture
        cv2.putText(cell, "/".join(line.text for line in crop.lines), (2, 105), 0, 0.45, 255, 1)
        cells.append(cell)
    cells += [np.full((110, 240), 128, np.uint8)] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)])


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the generator."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.training.synthetic",
        description="Render synthetic plate crops. Fetch fonts first: python -m tools.training.synthetic.fonts",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/synthetic.npz"), help="file to write")
    parser.add_argument("--count", type=int, default=30_000, help="how many crops (default: 30000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same crops (default: 1)")
    parser.add_argument("--fonts", type=Path, default=Path("runs/fonts"), help="folder of .ttf files")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of 60 crops to this PNG instead")
    arguments = parser.parse_args(argv)
    try:
        fonts = [Glyphs(path) for path in font_files(arguments.fonts)]
    except FileNotFoundError as error:
        print(f"synthetic: error: {error}", file=sys.stderr)
        return 1
    if arguments.sheet:
        sheet = contact_sheet([crop_of(arguments.seed, n, fonts) for n in range(60)])
        cv2.imwrite(str(arguments.sheet), sheet)
        return 0
    numbers = tqdm(range(arguments.count), desc="rendering", unit="plate", mininterval=2)
    Store.of(crop_of(arguments.seed, number, fonts) for number in numbers).save(arguments.out)
    return 0
