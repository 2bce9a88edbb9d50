"""Figures of reading: whole plates read exactly, character error rate. Pure functions over strings.

A transcription is ``A-Z0-9``; the lines of a two-line plate are joined by ``/``, top line first, and compared
without the stroke.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlateReading:
    """One plate's truth beside what was read there; `confidence` is the least one of its characters."""

    name: str
    source: str
    truth: str
    text: str
    confidence: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether every character is right."""
        return self.text == plain(self.truth)

    @property
    def lines(self) -> int:
        """Lines of the plate by its transcription."""
        return self.truth.count("/") + 1


@dataclass(frozen=True, slots=True)
class ReadingFigures:
    """Figures of a group of readings: `exact` of `plates`, `errors` edits over `characters` of truth."""

    plates: int
    exact: int
    errors: int
    characters: int

    @property
    def exact_rate(self) -> float:
        """Share of plates read exactly, 0..1; NaN without plates."""
        return self.exact / self.plates if self.plates else math.nan

    @property
    def character_error_rate(self) -> float:
        """Edits (insert, delete, replace) per character of truth; NaN without characters."""
        return self.errors / self.characters if self.characters else math.nan


def plain(transcription: str) -> str:
    """The transcription as it is compared: lines joined."""
    return transcription.replace("/", "")


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance: fewest insertions, deletions and replacements from a to b."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def figures(readings: Iterable[PlateReading]) -> ReadingFigures:
    """The figures over all these readings."""
    plates = exact = errors = characters = 0
    for reading in readings:
        plates += 1
        exact += reading.exact
        errors += edit_distance(reading.text, plain(reading.truth))
        characters += len(plain(reading.truth))
    return ReadingFigures(plates, exact, errors, characters)


def grouped(readings: Sequence[PlateReading], key: Callable[[PlateReading], str]) -> dict[str, ReadingFigures]:
    """Figures per group, groups in alphabetical order."""
    names = sorted({key(r) for r in readings})
    return {name: figures(r for r in readings if key(r) == name) for name in names}


def confident(readings: Iterable[PlateReading], least: float) -> ReadingFigures:
    """Figures over those readings that are at least that confident."""
    return figures(r for r in readings if r.confidence >= least)
