"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands with one part."""

    OK = "ok"
    NOTE = "note"  # works, but the user may want to know
    WRONG = "wrong"  # a drive would fail or lack something


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part, and what to do about it (empty if nothing)."""

    part: str
    verdict: Verdict
    found: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        """The form of `dashcam doctor --json`."""
        return {"part": self.part, "verdict": self.verdict.value, "found": self.found, "advice": self.advice}
