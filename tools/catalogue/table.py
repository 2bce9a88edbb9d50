"""Rows of a catalogue as text: one's own table joined with another, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_apis.catalogue.names import key
from cloud_apis.catalogue.rows import COLUMNS, FACTS, parse
from cloud_apis.catalogue.table import Catalogue, catalogue_of

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """A table after an import: its rows, and how many are new, were there already, or took the place of others."""

    rows: tuple[Cells, ...]
    new: int
    known: int
    replaced: int


def read_cells(path: Path) -> list[Cells]:
    """The rows of a table that has been checked, with all columns in their order."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        rows = [tuple((row.get(column) or "").strip() for column in COLUMNS) for row in reader]
    return [row for row in rows if any(row)]


def join(old: Sequence[Cells], own: Sequence[Cells], replace: bool = False) -> Joined:
    """One's own rows beside the old ones. ``replace``: own facts of a model take the place of all old ones of the kind.

    A model is the same by whichever of its names it is called. Rows that say the same are kept once. Raises ValueError
    for aliases that are not as a table wants them.
    """
    names = [row for row in own if _is_alias(row)]
    renamed = {_kind(row) for row in names} if replace else set()
    called = _named([*(row for row in old if _is_alias(row) and _kind(row) not in renamed), *names])
    mine = {_meant(row, called) for row in own} if replace else set()
    stay = [row for row in old if _meant(row, called) not in mine]
    told = {_said(row) for row in stay}
    new = []
    for row in own:
        if _said(row) not in told:
            told.add(_said(row))
            new.append(row)
    rows = sorted((*stay, *new), key=_order)
    return Joined(tuple(rows), len(new), len(own) - len(new), len(old) - len(stay))


def write_cells(path: Path, rows: Sequence[Cells]) -> None:
    """Writes a table; a failure leaves the old one as it was. Raises OSError."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text.getvalue())
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


def _kind(row: Cells) -> tuple[str, str, str]:
    return key(row[0]), key(row[1]), row[2].lower()


def _is_alias(row: Cells) -> bool:
    return row[2].lower() == "aliases"


def _named(rows: Iterable[Cells]) -> Catalogue:
    return catalogue_of(parse(dict(zip(COLUMNS, row, strict=True))) for row in rows)


def _meant(row: Cells, called: Catalogue) -> tuple[str, str, str]:
    """The kind of a fact, of the model that is meant; an alias is of the very name that it stands beside."""
    return _kind(row) if _is_alias(row) else (*called.place_of(row[0], row[1]), row[2].lower())


def _said(row: Cells) -> Cells:
    return (*_kind(row), *row[3:])


def _order(row: Cells) -> tuple[str, str, int, str, str]:
    fact = row[2].lower()
    return key(row[0]), key(row[1]), FACTS.index(fact), row[COLUMNS.index("date")], row[3]
