"""A difference as people read it and as programs do. Nothing secret is in either: keys are hashes already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from deploy.rollout.difference import ApplicationDifference, Change, Kind
from deploy.rollout.wanted import Wanted

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_DIGITS = 12
_COLOURS = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow", Kind.SAME: "dim"}
# What Serve is told so that it does what the settings say; of an API that is new nobody asks for it.
_OF_SERVE = (
    "max_",
    "backpressure_config",
    "health_check_",
    "graceful_",
    "rolling_",
    "import_path",
    "name",
    "deployment",
    "api",
    "route",
)


def table(found: Sequence[ApplicationDifference]) -> Table:
    """One row per change."""
    shown = Table("API", "", "key", "now", "then", highlight=False)
    for each in found:
        kind = Text(each.kind.value, style=_COLOURS[each.kind])
        first = True
        for change in _told(each):
            shown.add_row(each.name if first else "", kind if first else "", change.key, *_sides(each, change))
            first = False
        if first:
            shown.add_row(each.name, kind, "", "", "")
        if each.kind is Kind.CHANGED:
            how = "new replicas start beside the old ones" if each.starts_replicas else "running replicas are told"
            shown.add_row("", "", Text(how, style="dim"), "", "")
    return shown


def uploads(wanted: Wanted) -> Iterator[str]:
    """Models that are missing in the registry, a line each."""
    for upload in wanted.uploads:
        size = f"{upload.descriptor.size / 1e6:.1f} MB"
        yield f"upload: model {upload.reference}, version {upload.descriptor.version} of this installation ({size})"


def plain(found: Sequence[ApplicationDifference]) -> list[dict[str, Any]]:
    """The difference for programs."""
    return [
        {
            "api": each.name,
            "becomes": each.kind.value,
            "starts_replicas": each.starts_replicas,
            "changes": [{"key": c.key, "old": c.old, "new": c.new} for c in each.changes],
        }
        for each in found
    ]


def summary(found: Sequence[ApplicationDifference]) -> str:
    """One line, such as ``1 added, 2 the same``."""
    counts = {kind: sum(each.kind is kind for each in found) for kind in Kind}
    return ", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count) or "nothing runs"


def _told(each: ApplicationDifference) -> Iterator[Change]:
    for change in each.changes:
        if each.kind is not Kind.ADDED or not change.key.startswith(_OF_SERVE):
            yield change


def _sides(each: ApplicationDifference, change: Change) -> tuple[str, str]:
    return ("" if each.kind is Kind.ADDED else _short(change.old)), _short(change.new)


def _short(value: object) -> str:
    if value is None:
        return "–"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return _DIGEST.sub(lambda found: found[0][:_DIGITS] + "…", text)
