"""Figures of reading: whole plates read exactly, character error rate. Pure functions over strings.

A transcription is ``A-Z0-9``; the lines of a two-line plate are joined by ``/``, top line first, and compared
without the stroke.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cloud_apis.contract import Quad
from tools.evaluation.alignment import edit_distance

__all__ = [
    "PlateReading",
    "ReadingFigures",
    "by_group",
    "confident",
    "edit_distance",
    "figures",
    "grouped",
    "lines_of",
    "plain",
]


@dataclass(frozen=True, slots=True)
class PlateReading:
    """One plate's truth beside what was read there.

    `confidence` is the plate's, `characters` has one for each character of `text`, all in 0..1; `quads` are the
    corners of the lines read, in pixels of the crop.
    """

    name: str
    source: str
    truth: str
    text: str
    confidence: float = 0.0
    characters: tuple[float, ...] = ()
    quads: tuple[Quad, ...] = ()

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


def figures(readings: Iterable[PlateReading]) -> ReadingFigures:
    """The figures over all these readings."""
    plates = exact = errors = characters = 0
    for reading in readings:
        plates += 1
        exact += reading.exact
        errors += edit_distance(reading.text, plain(reading.truth))
        characters += len(plain(reading.truth))
    return ReadingFigures(plates, exact, errors, characters)


def lines_of(reading: PlateReading) -> str:
    """The group of a plate by its number of lines."""
    return "one line" if reading.lines == 1 else "two lines"


def grouped(readings: Sequence[PlateReading], key: Callable[[PlateReading], str]) -> dict[str, ReadingFigures]:
    """Figures per group, groups in alphabetical order."""
    names = sorted({key(r) for r in readings})
    return {name: figures(r for r in readings if key(r) == name) for name in names}


def by_group(readings: Sequence[PlateReading]) -> dict[str, ReadingFigures]:
    """Figures per source, per number of lines, per both where a source has two-line plates, and over all."""
    two = [r for r in readings if r.lines > 1]
    return {
        **grouped(readings, lambda r: r.source),
        **grouped(readings, lines_of),
        **{f"two lines, {name}": f for name, f in grouped(two, lambda r: r.source).items()},
        "all": figures(readings),
    }


def confident(readings: Iterable[PlateReading], least: float) -> ReadingFigures:
    """Figures over those readings that are at least that confident."""
    return figures(r for r in readings if r.confidence >= least)
