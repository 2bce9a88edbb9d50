"""The gap in the network: when it begins and ends in the film, and how the drive found its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.delay_proxy import Gate
from tools.drive.watching import Sample


@dataclass(frozen=True, slots=True)
class Gap:
    """Seconds of the film."""

    start_s: float
    end_s: float

    @classmethod
    def parse(cls, text: str) -> Gap:
        """`START:END` in seconds. Raises ValueError when it is not that."""
        start, colon, end = text.partition(":")
        gap = cls(float(start), float(end)) if colon else None
        if gap is None or not 0 <= gap.start_s < gap.end_s:
            raise ValueError(f"{text} is not START:END in seconds")
        return gap

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


class Tunnel:
    """Shuts and opens the gate as the film goes on, by the frames captured: a slow machine only stretches it."""

    def __init__(self, gate: Gate, gap: Gap | None, frame_rate_hz: float, *, refuse: bool) -> None:
        self._gate = gate
        self._gap = gap
        self._rate_hz = frame_rate_hz
        self._refuse = refuse
        self.shut_at: Sample | None = None
        self.opened_at: Sample | None = None

    def see(self, sample: Sample) -> None:
        """Look at a sample of the drive; called in one thread, sample by sample."""
        if self._gap is None:
            return
        film_s = sample.captured / self._rate_hz
        if self.shut_at is None and film_s >= self._gap.start_s:
            self._gate.shut(refuse=self._refuse)
            self.shut_at = sample
        elif self.shut_at is not None and self.opened_at is None and film_s >= self._gap.end_s:
            self._gate.open()
            self.opened_at = sample


def recovery_s(samples: Sequence[Sample], opened_at: Sample) -> float | None:
    """Seconds from the end of the gap until frames have results of their own again; None if they never have.

    Its resolution is that of the state the page shows: half a second.
    """
    before = opened_at.shown.get("annotated", 0)
    after = (s.at_s for s in samples if s.at_s > opened_at.at_s and s.shown.get("annotated", 0) > before)
    first_s = next(after, None)
    return None if first_s is None else first_s - opened_at.at_s
