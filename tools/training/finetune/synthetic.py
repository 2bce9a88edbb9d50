"""Synthetic crops for fine-tuning: a file of them, rendered where it is missing, in whatever fonts there are."""

from __future__ import annotations

import logging
from pathlib import Path

import matplotlib
from tqdm import tqdm

from tools.training.synthetic.fonts import font_files
from tools.training.synthetic.generate import crop_of
from tools.training.synthetic.glyphs import Glyphs
from tools.training.synthetic.store import Store

log = logging.getLogger("finetune")


def synthetic_store(file: Path, count: int, fonts_folder: Path, seed: int) -> Store | None:
    """The crops in ``file``; where it is missing ``count`` are rendered into it. None where that is 0."""
    if file.is_file():
        return Store.load(file)
    if count == 0:
        return None
    fonts = fonts_in(fonts_folder)
    numbers = tqdm(range(count), desc="rendering", unit="plate", mininterval=2)
    Store.of(crop_of(seed, number, fonts) for number in numbers).save(file)
    return Store.load(file)


def fonts_in(folder: Path) -> list[Glyphs]:
    """The open fonts of a folder; without any the one that comes with matplotlib, which is better than none."""
    try:
        return [Glyphs(path) for path in font_files(folder)]
    except FileNotFoundError as error:
        log.warning("%s; until then one font alone is used, which teaches less", error)
        return [Glyphs(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")]
