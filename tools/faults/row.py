"""One line of the faults' table, and the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what it was, what was promised for it, what was measured, and whether the promise was kept.

    ``kept`` is None for what cannot be tried on this machine; ``measured`` says why. Such a row fails nothing.
    """

    fault: str
    promised: str
    measured: str
    kept: bool | None

    @property
    def verdict(self) -> str:
        """One word."""
        return "skip" if self.kept is None else "pass" if self.kept else "FAIL"


def all_kept(rows: Iterable[Row]) -> bool:
    """Whether no promise was broken."""
    return all(row.kept is not False for row in rows)


def show(rows: Sequence[Row], title: str | None = None) -> None:
    """Print the table."""
    table = Table("fault", "what was promised", "what was measured", "", title=title, highlight=False)
    for row in rows:
        table.add_row(row.fault, row.promised, row.measured, row.verdict)
    Console().print(table)


def write(rows: Sequence[Row], file: Path) -> None:
    """Write the table's content as JSON; raises OSError."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
