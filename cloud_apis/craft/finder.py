"""The text line finder: grey plate crops in, quadrilaterals of their registration lines out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.postprocess import line_quads
from cloud_apis.craft.preprocess import fit_crop
from cloud_apis.craft.straighten import Window, text_window
from cloud_apis.session import Model, load_model
from cloud_apis.settings import CraftSettings

OUTPUTS = ("score",)

Gray = NDArray[np.uint8]
Lines = list[NDArray[np.float32]]
Score = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""The network: images (N, 1, 96, 192) to scores (N, 2, 48, 96)."""


class LineFinder:
    """Finds the lines of a plate with a CRAFT network (Baek et al., 2019, arXiv:1904.01941)."""

    def __init__(self, model: Model, settings: CraftSettings) -> None:
        self.model = model
        self._batch = settings.batch

    def find(self, crops: Sequence[Gray]) -> list[Lines]:
        """Lines per crop, each (4, 2) float32 in crop pixels, clockwise from the top left, top line first.

        Crops are uint8 (height, width).
        """
        return find_lines(self._score, crops, self._batch)

    def _score(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.model.run(images)[0]


def find_lines(score: Score, crops: Sequence[Gray], batch: int) -> list[Lines]:
    """Look twice: at each crop as it is, then at a window in which the text found first stands upright.

    The second look sees all texts at one pose and about one size, which gives better ends and slants. Lines are as
    `LineFinder.find` has them.
    """
    found = look(score, crops, batch)
    again = [number for number, lines in enumerate(found) if lines]
    windows = [text_window(found[number]) for number in again]
    second = look_through(score, [crops[number] for number in again], windows, batch)
    for number, lines in zip(again, second, strict=True):
        if lines:
            found[number] = lines
    return found


def look(score: Score, crops: Sequence[Gray], batch: int) -> list[Lines]:
    """Lines in crops that are fitted into the network's input as they are."""
    fitted = [fit_crop(crop) for crop in crops]
    maps = _run(score, [image for image, _ in fitted], batch)
    return [[fit.to_crop(quad) for quad in line_quads(one)] for one, (_, fit) in zip(maps, fitted, strict=True)]


def look_through(score: Score, crops: Sequence[Gray], windows: Sequence[Window], batch: int) -> list[Lines]:
    """Lines in one window of each crop, in crop pixels."""
    maps = _run(score, [window.cut(crop) for crop, window in zip(crops, windows, strict=True)], batch)
    return [[window.to_crop(quad) for quad in line_quads(one)] for one, window in zip(maps, windows, strict=True)]


def _run(score: Score, images: Sequence[NDArray[np.float32]], batch: int) -> list[NDArray[np.float32]]:
    maps: list[NDArray[np.float32]] = []
    for start in range(0, len(images), batch):
        maps += list(score(np.stack(images[start : start + batch])))
    return maps


def load_finder(folder: Path, settings: CraftSettings) -> LineFinder:
    """Load the model `craft` from a folder; raises `StartError`."""
    model = load_model(folder, "craft", OUTPUTS, threads=settings.threads, providers=settings.providers)
    return LineFinder(model, settings)
