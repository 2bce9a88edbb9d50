"""What the knowledge of a region changes: the same plates read without and with it. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_apis.crnn.regions import Region
from tools.evaluation.reading import PlateReading, plain

SURE: Final = 0.9
"""A read of this confidence must never be changed."""


@dataclass(frozen=True, slots=True)
class RegionChange:
    """Plates, how many are exact without and with the region, how many reads it changed, and to what.

    `confident_changed` counts changed reads whose confidence without the region was `SURE` or more.
    """

    plates: int
    exact_off: int
    exact_on: int
    changed: int
    made_right: int
    made_wrong: int
    confident: int
    confident_changed: int


def change(off: Sequence[PlateReading], on: Sequence[PlateReading]) -> RegionChange:
    """Compares two runs over the same plates in the same order; raises ValueError when they are not."""
    if [r.name for r in off] != [r.name for r in on]:
        raise ValueError("the two runs are not over the same plates")
    changed = [(a, b) for a, b in zip(off, on, strict=True) if a.text != b.text]
    return RegionChange(
        len(off),
        sum(r.exact for r in off),
        sum(r.exact for r in on),
        len(changed),
        sum(b.exact for _, b in changed),
        sum(a.exact for a, _ in changed),
        sum(a.confidence >= SURE for a in off),
        sum(a.confidence >= SURE for a, _ in changed),
    )


def change_by_source(
    off: Sequence[PlateReading], on: Sequence[PlateReading], regions: Sequence[Region] = ()
) -> dict[str, RegionChange]:
    """The change per source, over all, and over the plates whose truth has a form of these regions."""

    def among(chosen: Callable[[PlateReading], bool]) -> RegionChange:
        return change(list(filter(chosen, off)), list(filter(chosen, on)))

    rows = {source: among(lambda r, s=source: r.source == s) for source in sorted({r.source for r in off})}  # type: ignore[misc]
    if regions:
        codes = ", ".join(region.code for region in regions)
        rows[f"of the form of {codes}"] = among(lambda r: any(region.has(plain(r.truth)) for region in regions))
    return {**rows, "all": change(off, on)}
