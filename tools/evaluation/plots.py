"""Reliability diagrams as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tools.evaluation.confidence import Reliability, wilson


class PlotError(Exception):
    """Plots cannot be drawn here; the message says what is missing."""


def write_reliability(panels: Mapping[str, Mapping[str, Reliability]], file: Path, title: str) -> None:
    """Draws a panel per kind (plates, characters) with a line per state (before, after), each over its bins.

    Bars show how many fell into a bin, on a logarithmic scale; whiskers are Wilson's 95 % intervals. Raises
    PlotError without matplotlib.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        raise PlotError("the reliability diagram needs matplotlib: tools/install.sh bench") from error
    figure, axes = plt.subplots(2, len(panels), figsize=(5.2 * len(panels), 6.4), height_ratios=(3, 1), squeeze=False)
    for column, (kind, states) in enumerate(panels.items()):
        top, below = axes[0][column], axes[1][column]
        top.plot((0, 1), (0, 1), color="0.6", linestyle=":", linewidth=1)
        for number, (state, found) in enumerate(states.items()):
            bins = [b for b in found.bins if b.count]
            shares, edges = [b.rate for b in bins], [wilson(b.right, b.count) for b in bins]
            errors = [[s - low for s, (low, _) in zip(shares, edges, strict=True)]]
            errors.append([high - s for s, (_, high) in zip(shares, edges, strict=True)])
            errors = [[max(0.0, e) for e in row] for row in errors]
            label = f"{state}: ECE {found.error:.3f}"
            top.errorbar([b.confidence for b in bins], shares, errors, marker="o", markersize=3, capsize=2, label=label)
            width = 1 / len(found.bins) / (len(states) + 0.5)
            below.bar([b.low + (number + 0.75) * width for b in found.bins], [b.count for b in found.bins], width)
        top.set(title=kind, xlim=(0, 1), ylim=(0, 1.02), ylabel="share right")
        top.legend(loc="upper left")
        below.set(xlim=(0, 1), yscale="log", xlabel="confidence", ylabel="count")
    figure.suptitle(title, fontsize=9)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)
