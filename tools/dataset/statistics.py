"""Step `stats`: what is in the manifest, in tables; every figure is counted by SQLite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rich.table import Table
from rich.text import Text

from tools.dataset.manifest import STEPS, Manifest

TABLES = 6
"""How many counts there are to tell of."""
WIDTHS_PX = (64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class Statistics:
    """Counts of a catalogue: by step, action and reason; by class and part; by year; sizes; listings."""

    files: int
    size_bytes: int
    within: int
    steps: tuple[tuple[str, str, str, int], ...]
    classes: tuple[tuple[str, int, int, int, int, int], ...]
    years: tuple[tuple[int, int], ...]
    widths: tuple[tuple[str, int], ...]
    listing_sizes: tuple[tuple[int, int], ...]

    def to_json(self) -> dict[str, Any]:
        """All of it, for other programs."""
        classes = ("class", "pictures", "listings", "train", "val", "test")
        return {
            "files": self.files,
            "bytes": self.size_bytes,
            "in": self.within,
            "steps": [dict(zip(("step", "action", "reason", "files"), row, strict=True)) for row in self.steps],
            "classes": [dict(zip(classes, row, strict=True)) for row in self.classes],
            "years": dict(self.years),
            "widths": dict(self.widths),
            "pictures_a_listing": dict(self.listing_sizes),
        }


def statistics(manifest: Manifest, progress: Callable[[int], object] = lambda _: None) -> Statistics:
    """Counts everything; ``progress`` is told of each of `TABLES`."""
    db = manifest.db
    files, size = db.execute("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM files").fetchone()
    progress(1)
    steps = db.execute(
        "SELECT step, action, COALESCE(reason, ''), COUNT(*) FROM results GROUP BY step, action, reason"
    ).fetchall()
    progress(1)
    steps.sort(key=lambda row: (STEPS.index(row[0]), row[1], -row[3]))
    classes = db.execute(
        "SELECT class, COUNT(*), COUNT(DISTINCT listing), SUM(part IS 'train'), SUM(part IS 'val'), "
        "SUM(part IS 'test') FROM files WHERE out_by IS NULL AND class IS NOT NULL GROUP BY class "
        "ORDER BY COUNT(*) DESC, class"
    ).fetchall()
    progress(1)
    years = db.execute(
        "SELECT year, COUNT(*) FROM files WHERE out_by IS NULL AND year IS NOT NULL GROUP BY year"
    ).fetchall()
    progress(1)
    sizes = db.execute(
        "SELECT pictures, COUNT(*) FROM (SELECT COUNT(*) AS pictures FROM files WHERE out_by IS NULL GROUP BY listing) "
        "GROUP BY pictures"
    ).fetchall()
    progress(1)
    widths, within = _widths(manifest), manifest.count("f.out_by IS NULL")
    progress(1)
    return Statistics(files, size, within, tuple(steps), tuple(classes), tuple(years), widths, tuple(sizes))


def _widths(manifest: Manifest) -> tuple[tuple[str, int], ...]:
    edges = (0, *WIDTHS_PX, 10**9)
    rows = []
    for low, high in pairwise(edges):
        count = manifest.db.execute("SELECT COUNT(*) FROM looks WHERE width >= ? AND width < ?", (low, high)).fetchone()
        name = f"below {high}" if not low else f"{low} and more" if high == edges[-1] else f"{low}-{high - 1}"
        rows.append((name, int(count[0])))
    return tuple(rows)


def tables(found: Statistics, most: int = 40) -> list[Table]:
    """The tables of a terminal; of classes the ``most`` largest."""
    steps = Table("step", "action", "reason", "files", title=f"{found.files:,} files, {found.size_bytes / 1e9:.2f} GB")
    for step, action, reason, count in found.steps:
        steps.add_row(step, action, Text(reason), f"{count:,}")
    steps.add_row("", "in", "after all steps", f"{found.within:,}")
    shown = [steps]
    if found.classes:
        title = f"{len(found.classes)} classes" + (f", the largest {most}" if len(found.classes) > most else "")
        classes = Table("class", "pictures", "listings", "train", "val", "test", title=title)
        for row in found.classes[:most]:
            classes.add_row(Text(row[0]), *(f"{count:,}" for count in row[1:]))
        shown.append(classes)
    return shown
