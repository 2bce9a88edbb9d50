"""The owner's list of known plates: which raise an alert, and which are none of our business."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edge_client import bounded_yaml
from edge_client.errors import ConfigError
from edge_client.store.plate_text import alike, confusion, plain_plate

_CACHED = 4096


@dataclass(frozen=True, slots=True)
class KnownPlate:
    """One plate of the list; a read within `distance` characters is this plate."""

    plate: str
    name: str
    note: str
    action: Literal["alert", "ignore"]
    distance: float


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    plate: str
    name: str = ""
    note: str = ""
    action: Literal["alert", "ignore"] = "alert"
    distance: float | None = Field(default=None, ge=0.0, le=4.0, allow_inf_nan=False)

    @field_validator("plate")
    @classmethod
    def _is_a_plate(cls, value: str) -> str:
        if not plain_plate(value):
            raise ValueError("has neither letters nor digits")
        return value


class KnownPlates:
    """The list, asked for every read and every label: answers are remembered."""

    def __init__(self, plates: Sequence[KnownPlate] = ()) -> None:
        """Of plates that fit equally well the first one counts."""
        self._plates = tuple(plates)
        self._characters = tuple(frozenset(alike(plate.plate)) for plate in plates)
        self._answers: dict[str, KnownPlate | None] = {}

    def __len__(self) -> int:
        return len(self._plates)

    @classmethod
    def load(cls, file: Path, *, distance: float, plates_as_names: bool = True) -> KnownPlates:
        """Reads a list: CSV with a line of headings if the file is called `.csv`, else YAML.

        Args:
            file: a YAML list of mappings, or CSV, with plate and, as wanted, name, note, action, distance.
            distance: that of entries that state none.
            plates_as_names: what has no name is called by its plate; else, where no plate is to be written down, by
                its number in the list.

        Raises:
            ConfigError: it cannot be read, or an entry is wrong; the message names the entry.
        """
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ConfigError(f"cannot read the list of known plates {file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"the list of known plates {file} is not UTF-8 text") from None
        rows = _csv_rows(text) if file.suffix.lower() == ".csv" else _yaml_rows(text, file)
        entries = [_entry(row, number, file) for number, row in enumerate(rows, 1)]
        return cls(
            [
                KnownPlate(
                    plate=plain_plate(entry.plate),
                    name=entry.name or (entry.plate if plates_as_names else f"plate {number} of your list"),
                    note=entry.note,
                    action=entry.action,
                    distance=distance if entry.distance is None else entry.distance,
                )
                for number, entry in enumerate(entries, 1)
            ]
        )

    def match(self, text: str) -> KnownPlate | None:
        """The plate of the list that a text is nearest to, if it is near enough."""
        if not self._plates:
            return None
        try:
            return self._answers[text]
        except KeyError:
            pass
        if len(self._answers) >= _CACHED:
            self._answers.clear()
        answer = self._answers[text] = self._nearest(text)
        return answer

    def ignores(self, text: str) -> bool:
        """Whether the owner wants to know nothing of it."""
        known = self.match(text)
        return known is not None and known.action == "ignore"

    def _nearest(self, text: str) -> KnownPlate | None:
        characters = frozenset(alike(text))
        near = [
            (gap, plate)
            for plate, of_plate in zip(self._plates, self._characters, strict=True)
            if _least_gap(characters, of_plate) <= plate.distance
            and (gap := confusion(plate.plate, text)) <= plate.distance
        ]
        return min(near, key=lambda pair: pair[0])[1] if near else None


def _least_gap(a: frozenset[str], b: frozenset[str]) -> float:
    """A bound of `confusion` that is quick to tell: each character that the other lacks costs a half at least."""
    return max(len(a - b), len(b - a)) / 2


def _csv_rows(text: str) -> list[object]:
    rows: list[object] = []
    for row in csv.DictReader(io.StringIO(text), skipinitialspace=True):
        given: dict[str, object] = {str(k): v.strip() for k, v in row.items() if isinstance(v, str) and v.strip()}
        extra = row.get(None)
        if extra:
            given["more columns than headings"] = extra
        if isinstance(given.get("distance"), str):
            with contextlib.suppress(ValueError):  # is told below, as any wrong value
                given["distance"] = float(str(given["distance"]))
        if given:
            rows.append(given)
    return rows


def _yaml_rows(text: str, file: Path) -> list[object]:
    try:
        rows = bounded_yaml.load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{file}{where}: not valid YAML") from None
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise ConfigError(f"{file}: expected a list of plates such as `- plate: 'B 101 ABC'`")
    return [{"plate": row} if isinstance(row, str) else row for row in rows]


def _entry(row: object, number: int, file: Path) -> _Entry:
    try:
        return _Entry.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "entry"
        hint = "; put it in quotes" if first["type"] == "string_type" else ""
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{file}: plate {number}: {where}: {message[:1].lower()}{message[1:]}{hint}") from None


def known_plates(file: Path | None, *, distance: float, plates_as_names: bool = True) -> KnownPlates:
    """The configured list, an empty one without a file."""
    if file is None:
        return KnownPlates()
    return KnownPlates.load(file, distance=distance, plates_as_names=plates_as_names)
