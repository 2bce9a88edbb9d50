"""A drive over time, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.drive.watching import Sample

_KINDS = (("annotated", "#2a9d8f"), ("carried", "#e9c46a"), ("plain", "#adb5bd"))
_STEP_S = 2.0


def shown_rates(samples: Sequence[Sample], kind: str, step_s: float = _STEP_S) -> tuple[list[float], list[float]]:
    """Minutes, and frames of that kind shown per second since the point before."""
    minutes, rates = [], []
    before = samples[0] if samples else None
    for sample in samples:
        if before is not None and sample.at_s - before.at_s >= step_s:
            minutes.append(sample.at_s / 60)
            rates.append((sample.shown.get(kind, 0) - before.shown.get(kind, 0)) / (sample.at_s - before.at_s))
            before = sample
    return minutes, rates


def plot(samples: Sequence[Sample], gap: tuple[float, float] | None, target: Path) -> None:
    """Writes frames shown by kind, reads, processor share and memory over the minutes; the gap is shaded.

    `gap` is in seconds since the watching began. The format follows the name of the file (.svg, .png).

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    frames, reads, load = figure.subplots(3, 1, sharex=True)
    lines = [shown_rates(samples, kind) for kind, _ in _KINDS]
    frames.stackplot(
        lines[0][0], *(rates for _, rates in lines), labels=[k for k, _ in _KINDS], colors=[c for _, c in _KINDS]
    )
    frames.set_ylabel("frames shown per second")
    frames.legend(loc="lower left", ncols=3)
    minutes = [s.at_s / 60 for s in samples]
    reads.step(minutes, [s.reads for s in samples], where="post", color="#264653")
    reads.set_ylabel("reads in the list")
    load.plot(minutes, [s.resident_mib for s in samples], color="#e76f51", label="resident, MiB")
    load.set_ylim(bottom=0)
    load.set_ylabel("resident, MiB")
    load.set_xlabel("minutes")
    if gap is not None:
        for part in (frames, reads, load):
            part.axvspan(gap[0] / 60, gap[1] / 60, color="#000000", alpha=0.08)
    figure.savefig(str(target))
