"""The figures as tables for people and as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from tools.evaluation.confidence import Coverage, Reliability, wilson
from tools.evaluation.detection import Recall
from tools.evaluation.endtoend import EndToEndFigures
from tools.evaluation.reading import ReadingFigures
from tools.evaluation.regions import SURE, RegionChange
from tools.evaluation.runs import DetectionFigures, width_names


def detection_table(figures: Mapping[str, DetectionFigures], title: str, caption: str) -> Table:
    """One row per set of pictures."""
    threshold = next((f.threshold for f in figures.values()), math.nan)
    table = _table(title, f"recall and false boxes at a score of {threshold:g} and IoU 0.5; {caption}", "set")
    _columns(table, "pictures", "plates", "AP@.5", "AP@.5:.95", "recall")
    _columns(table, *(f"{name} px" for name in width_names()), "false/picture", "without plates", "false there")
    for name, f in figures.items():
        table.add_row(
            name,
            str(f.pictures),
            str(f.plates),
            _share(f.ap50),
            _share(f.ap50_95),
            _share(f.recall.rate),
            *(_recall(r) for r in f.recall_by_width),
            _share(f.false_boxes_per_picture),
            str(f.without_plates) if f.without_plates else "–",
            _share(f.false_without_plates),
        )
    return table


def reading_table(figures: Mapping[str, ReadingFigures], title: str, caption: str) -> Table:
    """One row per group of plates."""
    table = _table(title, caption, "group")
    _columns(table, "plates", "exact", "exact rate", "95 % interval", "character errors")
    for name, f in figures.items():
        cells = (str(f.plates), str(f.exact), _share(f.exact_rate), _interval(f.exact, f.plates))
        table.add_row(name, *cells, _share(f.character_error_rate))
    return table


def precision_table(
    shipped: Mapping[str, ReadingFigures], floats: Mapping[str, ReadingFigures], title: str, caption: str
) -> Table:
    """The shipped models' reading beside the float32 models', one row per group of plates."""
    table = _table(title, caption, "group")
    _columns(table, "plates", "float32 exact", "int8 exact", "lost", "float32 char. errors", "int8 char. errors")
    for name, f in shipped.items():
        whole = floats[name]
        lost = f"{whole.exact_rate - f.exact_rate:+.3f}" if f.plates else "–"
        rates = (_share(whole.exact_rate), _share(f.exact_rate), lost)
        table.add_row(name, str(f.plates), *rates, _share(whole.character_error_rate), _share(f.character_error_rate))
    return table


def coverage_table(states: Mapping[str, Sequence[Coverage]], title: str, caption: str) -> Table:
    """One row per state of the confidences and threshold."""
    table = _table(title, caption, "confidences")
    _columns(table, "threshold", "plates", "shown", "coverage", "right of shown", "share right", "95 % interval")
    for state, rows in states.items():
        for c in rows:
            cells = (f"{c.threshold:g}", str(c.plates), str(c.shown), _share(c.share_shown), str(c.right))
            table.add_row(state, *cells, _share(c.share_right), _interval(c.right, c.shown))
    return table


def calibration_table(kinds: Mapping[str, Mapping[str, Reliability]], title: str, caption: str) -> Table:
    """Expected calibration error and Brier score per kind of confidence, a row per state."""
    table = _table(title, caption, "confidence of")
    table.add_column("state")
    _columns(table, "count", "calibration error", "Brier score")
    for kind, states in kinds.items():
        for state, r in states.items():
            table.add_row(kind, state, str(r.count), f"{r.error:.4f}", f"{r.brier:.4f}")
    return table


def region_table(rows: Mapping[str, RegionChange], title: str, caption: str) -> Table:
    """What a region's knowledge changed, a row per source."""
    table = _table(title, caption, "source")
    _columns(table, "plates", "exact off", "exact on", "changed", "made right", "made wrong")
    _columns(table, f"confidence ≥ {SURE:g}", "of these changed")
    for name, r in rows.items():
        counts = (r.plates, r.exact_off, r.exact_on, r.changed, r.made_right, r.made_wrong)
        table.add_row(name, *map(str, counts), str(r.confident), str(r.confident_changed))
    return table


def end_to_end_table(figures: Mapping[str, EndToEndFigures], title: str, caption: str) -> Table:
    """One row per set of pictures."""
    table = _table(title, caption, "set")
    _columns(table, "pictures", "plates", "found", "read exactly", "rate", "95 % interval", "read anywhere")
    _columns(table, "shown", "shown wrong", "ghosts", "no answer")
    for name, f in figures.items():
        rate = f.exact / f.plates if f.plates else math.nan
        cells = (str(f.pictures), str(f.plates), str(f.found), str(f.exact), _share(rate), _interval(f.exact, f.plates))
        table.add_row(name, *cells, *map(str, (f.anywhere, f.shown, f.wrong, f.ghosts, f.unanswered)))
    return table


def write_json(path: Path, kind: str, settings: Mapping[str, object], figures: Mapping[str, object]) -> None:
    """Writes settings and figures as JSON; what has no value (NaN) is null."""
    body = {"kind": kind, "settings": _plain(settings), "figures": {k: _plain(v) for k, v in figures.items()}}
    path.write_text(json.dumps(body, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        derived = [name for name, entry in vars(type(value)).items() if isinstance(entry, property)]
        fields = [f.name for f in dataclasses.fields(value)]
        return {name: _plain(getattr(value, name)) for name in (*fields, *derived)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def _table(title: str, caption: str, first: str) -> Table:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column(first)
    return table


def _columns(table: Table, *headings: str) -> None:
    for heading in headings:
        table.add_column(heading, justify="right")


def _share(rate: float) -> str:
    return "–" if math.isnan(rate) else f"{rate:.3f}"


def _interval(right: int, count: int) -> str:
    low, high = wilson(right, count)
    return f"{low:.3f}–{high:.3f}" if count else "–"


def _recall(value: Recall) -> str:
    return f"{_share(value.rate)} of {value.plates}" if value.plates else "–"
