"""The figures as tables for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from tools.evaluation.detection import Recall
from tools.evaluation.reading import ReadingFigures
from tools.evaluation.runs import DetectionFigures, EndToEndFigures, width_names


def detection_table(figures: Mapping[str, DetectionFigures], title: str) -> Table:
    """One row per set of pictures."""
    threshold = next((f.threshold for f in figures.values()), math.nan)
    table = Table(title=title, caption=f"recall and false boxes at a score of {threshold:g} and IoU 0.5")
    table.add_column("set")
    for heading in ("pictures", "plates", "AP@.5", "AP@.5:.95", "recall"):
        table.add_column(heading, justify="right")
    for name in width_names():
        table.add_column(f"{name} px", justify="right")
    table.add_column("false/picture", justify="right")
    for name, f in figures.items():
        table.add_row(
            name,
            str(f.pictures),
            str(f.plates),
            _share(f.ap50),
            _share(f.ap50_95),
            _share(f.recall.rate),
            *(_recall(r) for r in f.recall_by_width),
            f"{f.false_boxes_per_picture:.3f}",
        )
    return table


def reading_table(figures: Mapping[str, ReadingFigures], title: str) -> Table:
    """One row per group of plates."""
    table = Table(title=title)
    table.add_column("group")
    for heading in ("plates", "exact", "exact rate", "character errors"):
        table.add_column(heading, justify="right")
    for name, f in figures.items():
        table.add_row(name, str(f.plates), str(f.exact), _share(f.exact_rate), _share(f.character_error_rate))
    return table


def end_to_end_table(figures: Mapping[str, EndToEndFigures], title: str, read_threshold: float) -> Table:
    """One row per set of pictures."""
    table = Table(title=title, caption=f"shown: reads with a confidence of {read_threshold:g} or more")
    table.add_column("set")
    for heading in ("pictures", "plates", "found", "read exactly", "of all", "shown", "shown wrong"):
        table.add_column(heading, justify="right")
    for name, f in figures.items():
        rate = f.exact / f.plates if f.plates else math.nan
        table.add_row(
            name,
            str(f.pictures),
            str(f.plates),
            str(f.found),
            str(f.exact),
            _share(rate),
            str(f.shown),
            str(f.wrong),
        )
    return table


def write_json(path: Path, kind: str, settings: Mapping[str, object], figures: Mapping[str, object]) -> None:
    """Writes settings and figures as JSON; what has no value (NaN) is null."""
    body = {"kind": kind, "settings": dict(settings), "figures": {k: _plain(v) for k, v in figures.items()}}
    path.write_text(json.dumps(body, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Recall):
        return {"found": value.found, "plates": value.plates, "rate": _plain(value.rate)}
    if isinstance(value, ReadingFigures):
        rates = {"exact_rate": value.exact_rate, "character_error_rate": value.character_error_rate}
        return {**dataclasses.asdict(value), **{k: _plain(v) for k, v in rates.items()}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value


def _share(rate: float) -> str:
    return "–" if math.isnan(rate) else f"{rate:.3f}"


def _recall(value: Recall) -> str:
    return f"{_share(value.rate)} of {value.plates}" if value.plates else "–"
