"""What a step finds out about one picture, and how work on pictures is described so that it can travel."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

Action = Literal["kept", "out", "made"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``reason`` is a short word that is counted, ``detail`` a sentence, ``values`` what the step wants to keep.

    ``target`` is what was made of the picture, or where it was moved to.
    """

    action: Action
    reason: str | None = None
    detail: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    target: bytes | None = None

    def to_text(self) -> str:
        """As one line of JSON, for the way between machines."""
        told = asdict(self)
        told["target"] = None if self.target is None else self.target.hex()
        return json.dumps(told)

    @classmethod
    def from_text(cls, text: str) -> Outcome:
        """Read what `to_text` wrote."""
        told = json.loads(text)
        told["target"] = None if told["target"] is None else bytes.fromhex(told["target"])
        return cls(**told)


class Worker(Protocol):
    """Works on one picture, named by its number and its path relative to the catalogue.

    Never raises for a picture; what it raises, such as a DatasetError where a disk fails, ends the step.
    """

    def __call__(self, number: int, path: bytes) -> Outcome: ...


class Job(Protocol):
    """Makes a worker where the work is done: a small frozen dataclass that can be pickled and compared."""

    def worker(self) -> Worker: ...

    def __hash__(self) -> int: ...
