"""Synthetic crops for fine-tuning: a file of them, rendered where it is missing, in whatever fonts there are."""

from __future__ import annotations

import logging
from pathlib import Path

import matplotlib
from tqdm import tqdm

from tools.training.synthetic.fonts import fetch, font_files
from tools.training.synthetic.generate import crop_of
from tools.training.synthetic.glyphs import Glyphs
from tools.training.synthetic.store import Store

log = logging.getLogger("finetune")


def synthetic_store(file: Path, count: int, seed: int) -> Store | None:
    """The crops in ``file``; where it is missing ``count`` are rendered into it. None where that is 0."""
    if file.is_file():
        return Store.load(file)
    if count == 0:
        return None
    fonts = fonts_in(file.parent / "fonts")
    numbers = tqdm(range(count), desc="rendering", unit="plate", mininterval=2)
    Store.of(crop_of(seed, number, fonts) for number in numbers).save(file)
    return Store.load(file)


def fonts_in(folder: Path) -> list[Glyphs]:
    """Open fonts, fetched if they can be; else the one that comes with matplotlib, which is better than none."""
    try:
        if not folder.is_dir():
            fetch(folder)
        return [Glyphs(path) for path in font_files(folder)]
    except FileNotFoundError as error:
        log.warning("%s; one font alone is used, which teaches less", error)
        return [Glyphs(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")]
