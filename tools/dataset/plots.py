"""Plots of a catalogue: classes, years, sizes, reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.dataset.statistics import Statistics

MOST_CLASSES = 40


def plot(found: Statistics, file: Path) -> None:
    """Draws four panels into a PNG or SVG. Raises ModuleNotFoundError without matplotlib, OSError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 10), layout="constrained")
    panels: Any = figure.subplots(2, 2)
    reasons = [(f"{step}: {reason}", count) for step, action, reason, count in found.steps if action == "out"]
    _bars(panels[0][0], reasons, "sorted out")
    _bars(panels[0][1], [(row[0], row[1]) for row in found.classes[:MOST_CLASSES]], "pictures a class")
    _bars(panels[1][0], [(str(year), count) for year, count in found.years], "pictures by year")
    _bars(panels[1][1], list(found.widths), "pictures by width, pixels")
    figure.savefig(file)


def _bars(axes: Any, rows: list[tuple[str, int]], title: str) -> None:
    axes.set_title(title)
    if not rows:
        axes.text(0.5, 0.5, "nothing yet", ha="center", va="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    names, counts = zip(*reversed(rows), strict=True)
    axes.barh(range(len(rows)), counts)
    axes.set_yticks(range(len(rows)), names, fontsize=7 if len(rows) > 15 else 9)
