"""Tables of what was found out about vehicles, beside the floors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from rich.table import Table

from tools.evaluation.attributes import AttributeFigures, Share

FLOORS: Final = {
    "vehicles AP@0.5": (0.60, 0.75),
    "colour": (0.85, 0.92),
    "colour top-3": (0.97, 0.99),
    "type": (0.80, 0.90),
    "make": (0.70, 0.85),
    "make top-5": (0.88, 0.95),
    "model": (0.60, 0.80),
    "right when sure": (0.95, 0.95),
}
"""The least and the wanted figure of each."""
MOST_MS: Final = 10.0


def boxes_table(precisions: Mapping[str, Mapping[str, float]], labels: Sequence[str], title: str) -> Table:
    """Average precision by set and class."""
    table = Table("set", *labels, "mean", title=title)
    for name, values in precisions.items():
        table.add_row(name, *(f"{values[label]:.3f}" for label in (*labels, "mean")))
    return table


def floors_table(precision: float, said: AttributeFigures, title: str) -> Table:
    """Each figure beside its floor."""
    table = Table("figure", "value", "of", "floor", "aim", "", title=title)
    sure = Share(sum(s.right for s in said.sure.values()), sum(s.of for s in said.sure.values()))
    shares = {**said.top, **said.among, "right when sure": sure}
    rows = {"vehicles AP@0.5": (precision, "")} | {name: (s.rate, str(s.of)) for name, s in shares.items()}
    for name, (floor, aim) in FLOORS.items():
        value, count = rows[name]
        reached = "aim" if value >= aim else "floor" if value >= floor else "below"
        table.add_row(name, f"{value:.3f}", count, f"{floor:.2f}", f"{aim:.2f}", reached)
    for name, share in said.sure.items():
        table.add_row(f"  {name} when sure", f"{share.rate:.3f}", str(share.of), "", "", "")
    return table


def named_table(said: AttributeFigures) -> Table:
    """How often a make or a model was named at all."""
    table = Table("head", "named", "of these right", title='what is named; the rest is "unknown"')
    for head, share in said.named.items():
        right = said.named_right[head]
        table.add_row(head, f"{share.rate:.3f} of {share.of}", f"{right.rate:.3f} of {right.of}")
    return table


def times_line(times_ms: Sequence[float]) -> str:
    """How long a classification takes, in words."""
    middle, high = np.median(times_ms), np.percentile(times_ms, 95)
    return f"one classification on one thread: {middle:.1f} ms, p95 {high:.1f} ms (floor {MOST_MS:g} ms)"
