"""Plate crops in one file: pictures of any size, their lines, their characters' quads where known."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.training.synthetic.render import Line
from tools.training.synthetic.scene import Crop


@dataclass(frozen=True)
class Store:
    """Crops end to end: ``pixels`` uint8, one row of ``index`` per crop (first pixel, height, width, first line)."""

    pixels: NDArray[np.uint8]
    index: NDArray[np.int64]
    texts: NDArray[np.str_]
    first_quad: NDArray[np.int64]
    quads: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> Crop:
        if not 0 <= number < len(self.index):
            raise IndexError(number)
        start, height, width, line = self.index[number]
        stop = self.index[number + 1][3] if number + 1 < len(self.index) else len(self.texts)
        image = self.pixels[start : start + height * width].reshape(height, width)
        return Crop(image, tuple(self._line(i) for i in range(line, stop)))

    def __iter__(self) -> Iterator[Crop]:
        return (self[i] for i in range(len(self)))

    def _line(self, number: int) -> Line:
        stop = self.first_quad[number + 1] if number + 1 < len(self.first_quad) else len(self.quads)
        return Line(str(self.texts[number]), self.quads[self.first_quad[number] : stop])

    def save(self, path: Path) -> None:
        """Write uncompressed NumPy archive (no pickled objects)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part.npz")
        np.savez(scratch, pixels=self.pixels, index=self.index, texts=self.texts,
                 first_quad=self.first_quad, quads=self.quads)  # fmt: skip
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Store:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(file["pixels"], file["index"], file["texts"], file["first_quad"], file["quads"])

    @classmethod
    def joined(cls, stores: Iterable[Store]) -> Store:
        """The crops of several stores in one."""
        several = list(stores)
        return several[0] if len(several) == 1 else cls.of(itertools.chain.from_iterable(several))

    @classmethod
    def of(cls, crops: Iterable[Crop]) -> Store:
        """Collect crops; lines without quads (real crops before pseudo-labels) keep their text alone."""
        texts: list[str] = []
        pixels, index, first_quad, quads = [], [], [], []
        at = boxes = 0
        for crop in crops:
            height, width = crop.image.shape
            index.append((at, height, width, len(texts)))
            pixels.append(crop.image.ravel())
            at += height * width
            for line in crop.lines:
                texts.append(line.text)
                first_quad.append(boxes)
                quads.append(line.quads.reshape(-1, 4, 2))
                boxes += len(line.quads)
        return cls(
            np.concatenate(pixels) if pixels else np.zeros(0, np.uint8),
            np.array(index, np.int64).reshape(-1, 4),
            np.array(texts, np.str_),
            np.array(first_quad, np.int64),
            np.concatenate(quads).astype(np.float32) if quads else np.zeros((0, 4, 2), np.float32),
        )
