"""The trials of fuzzing: a row for each format, and one for what goes over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.faults.fuzz.watch import CASE_S, MOST_GROWTH_MB, run_cases
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial

_PROMISED: Final = f"only the product's own errors, none takes {CASE_S:g} s, growth at most {MOST_GROWTH_MB:g} MB"


def _trial(name: str, about: str, whole: int, short: int) -> Trial:
    def run(effort: Effort) -> Iterator[Row]:
        figures = run_cases(name, effort.count(whole, short), effort.seed, effort.folder)
        yield Row(about, _PROMISED, str(figures), figures.good and figures.fed > 0)

    return Trial(f"fuzz-{name}", about, run)


_WHOLE: Final[tuple[tuple[str, str, int, int], ...]] = (
    ("pictures", "mutated JPEG, PNG and WebP", 10_000, 1000),
    ("bodies", "mutated JSON and multipart bodies", 10_000, 200),
    ("answers", "mutated answers of the APIs to the dashcam", 10_000, 200),
    ("settings", "mutated settings files", 3_000, 100),
    ("darknet", "mutated Darknet files offered as a model", 3_000, 60),
    ("onnx", "mutated ONNX files and manifests offered as a model", 3_000, 60),
)
FUZZ: Final = tuple(_trial(*row) for row in _WHOLE)
