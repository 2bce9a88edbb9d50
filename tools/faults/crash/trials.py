"""The trials of crash safety."""

from __future__ import annotations

from collections.abc import Iterator

from tools.faults.crash.disks import why_no_disks, why_no_power_cuts
from tools.faults.crash.inside import rows_inside
from tools.faults.crash.kills import kills
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial


def disks(effort: Effort) -> Iterator[Row]:
    """What takes a file system of its own; where none can be had, the row says why."""
    yield from _part("full_disk", "disk full", effort, why_no_disks())
    yield from _part("power_cuts", "power cut", effort, why_no_power_cuts())
    yield from _part("read_only", "disk turns read-only", effort, why_no_power_cuts())
    if not effort.short:
        yield from _part("full_in_drive", "disk full during a drive", effort, why_no_disks())
        yield from _part("read_only_in_drive", "disk turns read-only during a drive", effort, why_no_power_cuts())
        yield from _part("power_cuts_in_drive", "power cut during a drive", effort, why_no_power_cuts())


def _part(part: str, fault: str, effort: Effort, why_not: str) -> Iterator[Row]:
    if why_not:
        yield Row(fault, "nothing confirmed is lost", f"cannot be tried here: {why_not}", None)
    else:
        yield from rows_inside(part, effort)


CRASH = (
    Trial("kills", "kill -9 at random points", kills),
    Trial("disks", "power cuts, full and read-only disks", disks),
)
