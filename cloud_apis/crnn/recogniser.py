"""The recogniser: straightened words in, text with a confidence per character out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.crnn.postprocess import ALPHABET, LineReading, read_line
from cloud_apis.crnn.preprocess import other_views, warp_quad, warp_word
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
        self._second_look = settings.second_look

    def read_lines(self, words: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]]) -> list[LineReading]:
        """What the network says of each word.

        A word is its crop, uint8 (height, width), and its corners in it, (4, 2), clockwise from the top left. One
        with a character below the setting `second_look` is looked at again, turned a little and from further away;
        what was read most surely counts.
        """
        found = self._run([warp_word(crop, quad) for crop, quad in words])
        unsure = [i for i, line in enumerate(found) if line.sureness < self._second_look]
        views = [warp_quad(words[i][0], view)[None] for i in unsure for view in other_views(words[i][1])]
        again = iter(self._run(views))
        for i in unsure:
            found[i] = max(
                [found[i], *itertools.islice(again, len(views) // len(unsure))], key=lambda line: line.sureness
            )
        return found

    def _run(self, patches: Sequence[NDArray[np.float32]]) -> list[LineReading]:
        found: list[LineReading] = []
        for start in range(0, len(patches), self._batch):
            (logits,) = self.model.run(np.stack(patches[start : start + self._batch]))
            found += map(read_line, logits)
        return found

    def read(
        self, words: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]]
    ) -> list[tuple[str, tuple[float, ...]]]:
        """Text and confidences (0..1, one per character, as the network has them) of each word, read greedily."""
        return [(line.text, line.confidences) for line in self.read_lines(words)]


def load_recogniser(folder: Path, settings: CrnnSettings) -> Recogniser:
    """Load the model `crnn` from a folder; raises `StartError`."""
    model = load_model(folder, "crnn", OUTPUTS, threads=settings.threads, providers=settings.providers)
    return Recogniser(model, settings)
