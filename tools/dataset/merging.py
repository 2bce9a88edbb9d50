"""Step `merge`: gives every picture its class: the years of one model together, as a table says.

The table is a CSV with the columns ``make, model, years, class`` or a YAML list of such entries. ``*`` stands for any
make or model, ``years`` is 2012, 2012-2016, 2012- or -2016 or nothing (all). An empty class leaves the pictures out.
The first line that fits counts; what no line fits is of the class "make model".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cloud_apis.catalogue.names import key
from tools.dataset.errors import UsageError
from tools.dataset.manifest import Manifest

STEP = "merge"
COLUMNS = ("make", "model", "years", "class")
_YEARS = re.compile(r"(\d{4})?\s*(-)?\s*(\d{4})?")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table; ``name`` None leaves out. Years are included; None: without end."""

    make: str
    model: str
    first: int | None
    last: int | None
    name: str | None

    def fits(self, make: str | None, model: str | None, year: int | None) -> bool:
        """Whether pictures of this make, model and year are meant; names are compared without case and marks."""
        if any(wanted != "*" and (is_ is None or key(wanted) != key(is_)) for wanted, is_ in self._names(make, model)):
            return False
        if self.first is None and self.last is None:
            return True
        return year is not None and (self.first or 0) <= year <= (self.last or 9999)

    def _names(self, make: str | None, model: str | None) -> tuple[tuple[str, str | None], ...]:
        return (self.make, make), (self.model, model)


def read_rules(path: Path) -> list[Rule]:
    """The table of a ``.csv``, ``.yaml`` or ``.yml``; raises UsageError that names the line or entry."""
    try:
        if path.suffix.lower() in (".yaml", ".yml"):
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))
            if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
                raise UsageError(f"{path}: it is no list of entries with {', '.join(COLUMNS)}")
            return [_rule(entry, f"{path}: entry {i}") for i, entry in enumerate(entries, 1)]
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            return [_rule(row, f"{path}: line {reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error) as error:
        raise UsageError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error


def _rule(entry: dict[Any, Any], where: str) -> Rule:
    unknown = [str(name) for name in entry if name not in COLUMNS]
    if unknown or "class" not in entry:
        raise UsageError(f"{where}: the columns are {', '.join(COLUMNS)}, class at least (not {', '.join(unknown)})")
    values = {name: "" if entry.get(name) is None else str(entry[name]).strip() for name in COLUMNS}
    years = _YEARS.fullmatch(values["years"])
    if years is None or (years[1] and years[3] and (not years[2] or years[1] > years[3])):
        raise UsageError(f"{where}: years are written 2012, 2012-2016, 2012- or -2016, not {values['years']!r}")
    first, last = (int(y) if y else None for y in (years[1], years[3] if years[2] else years[1]))
    return Rule(values["make"] or "*", values["model"] or "*", first, last, values["class"] or None)


def merge(
    manifest: Manifest,
    rules: Sequence[Rule],
    others: bool = True,
    again: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, int]:
    """Gives classes to all pictures that are in; pictures of each class. ``others``: keep what no rule fits.

    Group by group of make, model and year, of which even a large catalogue has only thousands.
    """
    told = [[r.make, r.model, r.first, r.last, r.name] for r in rules]
    manifest.begin(STEP, {"rules": told, "others": others}, again)
    groups = manifest.db.execute(
        f"SELECT make, model, year FROM files f WHERE {manifest.pending(STEP)} GROUP BY make, model, year"
    ).fetchall()
    for make, model, year in groups:
        name, reason = _class_of(rules, others, make, model, year)
        same = f"f.make IS ? AND f.model IS ? AND f.year IS ? AND {manifest.pending(STEP)}"
        with manifest.transaction() as db:
            if name is not None:
                db.execute(f"UPDATE files AS f SET class = ? WHERE {same}", (name, make, model, year))
            done = db.execute(
                "INSERT INTO results(step, file, action, reason, detail) "
                f"SELECT '{STEP}', f.id, ?, ?, ? FROM files f WHERE {same}",
                ("kept" if name else "out", reason, name, make, model, year),
            ).rowcount
            if name is None:
                db.execute(
                    "UPDATE files SET out_by = 'merge' WHERE out_by IS NULL AND make IS ? AND model IS ? AND year IS ?",
                    (make, model, year),
                )
        progress(done)
    manifest.finish(STEP)
    counted = manifest.db.execute(
        "SELECT class, COUNT(*) FROM files WHERE out_by IS NULL AND class IS NOT NULL GROUP BY class ORDER BY class"
    )
    return dict(counted.fetchall())


def _class_of(
    rules: Sequence[Rule], others: bool, make: str | None, model: str | None, year: int | None
) -> tuple[str | None, str | None]:
    """A class's name, or None with the reason why there is none."""
    for rule in rules:
        if rule.fits(make, model, year):
            return rule.name, None if rule.name else "left out"
    if not others:
        return None, "in no table"
    if not make or not model:
        return None, "unknown model"
    return f"{make} {model}".strip(), None
