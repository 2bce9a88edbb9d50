"""One line of the faults' table, and the table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what it was, what was promised for it, what was measured, and whether the promise was kept."""

    fault: str
    promised: str
    measured: str
    kept: bool


def show(rows: Sequence[Row], title: str | None = None) -> None:
    """Print the table."""
    table = Table("fault", "what was promised", "what was measured", "", title=title, highlight=False)
    for row in rows:
        table.add_row(row.fault, row.promised, row.measured, "pass" if row.kept else "FAIL")
    Console().print(table)


def write(rows: Sequence[Row], file: Path) -> None:
    """Write the table's content as JSON; raises OSError."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
