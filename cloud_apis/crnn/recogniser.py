"""The recogniser: straightened words in, text with a confidence per character out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET, decode
from cloud_apis.crnn.preprocess import warp_word
from cloud_apis.errors import StartError
from cloud_apis.session import Model, load_model
from cloud_apis.settings import CrnnSettings

OUTPUTS = ("logits",)


class Recogniser:
    """Reads words with a CRNN (Shi, Bai and Yao, 2015, arXiv:1507.05717)."""

    def __init__(self, model: Model, settings: CrnnSettings) -> None:
        if model.manifest.alphabet not in (None, ALPHABET):
            raise StartError(f"the model crnn was trained for another alphabet: {model.manifest.alphabet}")
        self.model = model
        self._batch = settings.batch

    def logits(self, words: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]]) -> list[NDArray[np.float32]]:
        """What the network says of each word: logits (T, 37), class 0 the CTC blank.

        A word is its crop, uint8 (height, width), and its corners in it, (4, 2), clockwise from the top left.
        """
        patches = [warp_word(crop, quad) for crop, quad in words]
        found: list[NDArray[np.float32]] = []
        for start in range(0, len(patches), self._batch):
            (logits,) = self.model.run(np.stack(patches[start : start + self._batch]))
            found += list(logits)
        return found

    def read(
        self, words: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]]
    ) -> list[tuple[str, tuple[float, ...]]]:
        """Text and confidences (0..1, one per character, as the network has them) of each word, read greedily."""
        return [decode(word) for word in self.logits(words)]


def load_recogniser(folder: Path, settings: CrnnSettings) -> Recogniser:
    """Load the model `crnn` from a folder; raises `StartError`."""
    model = load_model(folder, "crnn", OUTPUTS, threads=settings.threads, providers=settings.providers)
    return Recogniser(model, settings)
