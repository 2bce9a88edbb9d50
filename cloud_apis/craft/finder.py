"""The text line finder: grey plate crops in, quadrilaterals of their registration lines out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.craft.postprocess import line_quads
from cloud_apis.craft.preprocess import fit_crop
from cloud_apis.session import Model, load_model
from cloud_apis.settings import CraftSettings

OUTPUTS = ("score",)


class LineFinder:
    """Finds the lines of a plate with a CRAFT network (Baek et al., 2019, arXiv:1904.01941)."""

    def __init__(self, model: Model, settings: CraftSettings) -> None:
        self.model = model
        self._batch = settings.batch

    def find(self, crops: Sequence[NDArray[np.uint8]]) -> list[list[NDArray[np.float32]]]:
        """Lines per crop, each (4, 2) float32 in crop pixels, clockwise from the top left, top line first.

        Crops are uint8 (height, width).
        """
        fitted = [fit_crop(crop) for crop in crops]
        found: list[list[NDArray[np.float32]]] = []
        for start in range(0, len(fitted), self._batch):
            part = fitted[start : start + self._batch]
            (scores,) = self.model.run(np.stack([image for image, _ in part]))
            for score, (_, place) in zip(scores, part, strict=True):
                found.append([place.to_crop(quad) for quad in line_quads(score)])
        return found


def load_finder(folder: Path, settings: CraftSettings) -> LineFinder:
    """Load the model `craft` from a folder; raises `StartError`."""
    model = load_model(folder, "craft", OUTPUTS, threads=settings.threads, providers=settings.providers)
    return LineFinder(model, settings)
