"""What a car looks like in the columns of its read, and how such names are searched."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from edge_client.types import Vehicle

NAMES: Final[Mapping[str, str]] = {
    "vehicle_kind": "kind",
    "vehicle_type": "type",
    "colour": "colour",
    "make": "make",
    "model": "model",
}
"""The columns of names, and what they are of a `Vehicle`."""
_CONFIDENCES: Final[Mapping[str, str]] = {
    f"{column}_confidence": f"{name}_confidence" for column, name in NAMES.items() if name != "kind"
}
VEHICLE_COLUMNS: Final = (*NAMES, *_CONFIDENCES)
_SAME: Final[Mapping[str, str]] = {"gray": "grey"}


def vehicle_values(vehicle: Vehicle | None) -> dict[str, object]:
    """The columns of a car's looks; names are empty and their confidences NULL where nothing is known."""
    told = vehicle or Vehicle()
    values: dict[str, object] = {column: getattr(told, name) for column, name in NAMES.items()}
    for column, name in _CONFIDENCES.items():
        chance = float(getattr(told, name))
        values[column] = round(min(chance, 1.0), 4) if chance > 0 else None
    return values


def stored_vehicle(row: sqlite3.Row | Mapping[str, Any]) -> Vehicle | None:
    """The car's looks in a row of `VEHICLE_COLUMNS`; None where nothing is known."""
    told: dict[str, Any] = {name: row[column] for column, name in NAMES.items()}
    if not any(told.values()):
        return None
    told |= {name: row[column] or 0.0 for column, name in _CONFIDENCES.items()}
    return Vehicle(**told)


def vehicle_object(vehicle: Vehicle | None) -> dict[str, object] | None:
    """A car's looks as JSON has them: names (empty where not known) with their probabilities (null then)."""
    if vehicle is None or not vehicle.known:
        return None
    told: dict[str, object] = {"title": vehicle.title, "kind": vehicle.kind}
    for name in ("type", "colour", "make", "model"):
        told[name] = getattr(vehicle, name)
        told[f"{name}_confidence"] = getattr(vehicle, f"{name}_confidence") or None
    return told


def plain_name(text: str) -> str:
    """The form in which names are compared: small letters and digits alone, without accents; gray is grey."""
    normal = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in normal if c.isalnum())
    return _SAME.get(plain, plain)


def plain_name_pattern(pattern: str) -> str:
    """The same of a pattern with `?` (one character) and `*` (any number), for SQLite's GLOB."""
    normal = unicodedata.normalize("NFKD", pattern).casefold()
    plain = "".join(c for c in normal if c.isalnum() or c in "?*")
    return _SAME.get(plain, plain)
