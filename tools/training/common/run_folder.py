"""A training run's folder: metrics log, resumable checkpoints, plots."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import torch

from tools.training.common.checkpoint import load_checkpoint


class RunFolder:
    """Keeps ``metrics.csv``, ``last.pt``, ``best.pt`` and ``metrics.png`` of one run in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.metrics_file = folder / "metrics.csv"

    def log(self, row: dict[str, float]) -> None:
        """Append one row of metrics; a row has the same keys as the first one."""
        new = not self.metrics_file.exists()
        with self.metrics_file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            if new:
                writer.writeheader()
            writer.writerow({key: f"{value:.6g}" for key, value in row.items()})

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Write a checkpoint by atomic rename, so that a cut run leaves the older one whole."""
        part = self.folder / f"{name}.part"
        torch.save(state, part)
        part.replace(self.folder / name)

    def load(self, name: str, *keys: str) -> dict[str, Any] | None:
        """Read a checkpoint of :meth:`save` that has these keys; None if there is none.

        Raises ValueError, which names the file, when it is no such checkpoint.
        """
        file = self.folder / name
        return load_checkpoint(file, *keys) if file.exists() else None

    def plot(self, x: str = "step") -> Path | None:
        """Draw every metric of the log over ``x`` into ``metrics.png``; None if there is no log yet."""
        if not self.metrics_file.exists():
            return None
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        with self.metrics_file.open() as stream:
            rows = list(csv.DictReader(stream))
        names = [name for name in rows[0] if name != x]
        figure, axes = plt.subplots(len(names), 1, figsize=(8, 2.2 * len(names)), sharex=True, squeeze=False)
        for axis, name in zip(axes[:, 0], names, strict=True):
            points = [(float(row[x]), float(row[name])) for row in rows if row[name] not in ("", "nan")]
            axis.plot(*zip(*points, strict=True) if points else ([], []))
            axis.set_ylabel(name)
            axis.grid(alpha=0.3)
        axes[-1, 0].set_xlabel(x)
        figure.tight_layout()
        file = self.folder / "metrics.png"
        figure.savefig(file, dpi=90)
        plt.close(figure)
        return file
