"""From the logits of a plate's lines to its text, with the chance that it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloud_apis.crnn.beam import beam_search, joint
from cloud_apis.crnn.calibration import Calibration
from cloud_apis.crnn.postprocess import LineReading, confidences_of
from cloud_apis.crnn.regions import Region, choose

SURE = 0.9
"""A read of at least this confidence is never changed by what is known of regions."""
DIGITS = 5
"""Confidences are given to so many decimal places."""


@dataclass(frozen=True, slots=True)
class PlateReading:
    """What a plate says: per line the text and each character's confidence, and the confidence of the whole.

    All confidences are in 0..1: the chance that the character, or the whole plate, is right.
    """

    lines: tuple[tuple[str, tuple[float, ...]], ...]
    confidence: float

    @property
    def text(self) -> str:
        """The lines joined."""
        return "".join(text for text, _ in self.lines)


class PlateDecoder:
    """Reads plates from logits; stateless, so that several threads may share it.

    ``calibration`` is that of the recogniser's manifest (none: scores as the network has them). ``regions`` are the
    countries whose plates are expected: of the texts that the network finds likely, their forms are preferred,
    unless it is sure of another.
    """

    def __init__(self, calibration: Calibration | None = None, regions: Sequence[Region] = ()) -> None:
        self._calibration = calibration or Calibration.none()
        self._regions = tuple(regions)

    def read(self, lines: Sequence[LineReading]) -> PlateReading:
        """The likeliest text of a plate with these lines, top line first."""
        candidates = joint([beam_search(line.probabilities) for line in lines])
        texts, raw = candidates[0]
        doubts = 1.0
        if self._regions and round(self._calibration.plate.apply(raw), DIGITS) < SURE:
            chosen = choose([("".join(words), p) for words, p in candidates], self._regions)
            texts, doubts = candidates[chosen.index][0], (1 - chosen.probability) / max(1 - raw, 1e-9)
            raw = chosen.probability
        read = tuple(
            (text, tuple(self._character(c, doubts) for c in confidences_of(line, text)))
            for text, line in zip(texts, lines, strict=True)
        )
        return PlateReading(read, round(self._calibration.plate.apply(raw), DIGITS) if any(texts) else 0.0)

    def _character(self, raw: float, doubts: float) -> float:
        """A character's confidence; knowledge of regions lessens its doubt as it lessens that of the whole plate."""
        return round(self._calibration.character.apply(min(1.0, max(0.0, 1 - (1 - raw) * doubts))), DIGITS)
