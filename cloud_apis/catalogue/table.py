"""The catalogue: facts by make and model, whatever way their names are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from cloud_apis.catalogue.facts import Facts, Price, Sourced, Span
from cloud_apis.catalogue.names import key
from cloud_apis.catalogue.rows import Fault, Row, read_rows
from cloud_apis.errors import StartError

T = TypeVar("T")
_TOLD = 5


@dataclass(frozen=True)
class Catalogue:
    """Facts by the keys of make and model; read it with `load_catalogue`, ask it with `facts_of`."""

    facts: Mapping[tuple[str, str], Facts]
    makes: Mapping[str, str]
    models: Mapping[tuple[str, str], str]

    def facts_of(self, make: str, model: str) -> Facts | None:
        """What is known of a model, in whatever case and with whatever marks its names are written; None: nothing."""
        return self.facts.get(self.place_of(make, model))

    def place_of(self, make: str, model: str) -> tuple[str, str]:
        """The keys of a make and model, which may be named by an alias."""
        its_make = self.makes.get(key(make), key(make))
        return its_make, self.models.get((its_make, key(model)), key(model))

    def __iter__(self) -> Iterator[Facts]:
        return iter(self.facts.values())

    def __len__(self) -> int:
        return len(self.facts)


def load_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue of a CSV file (`cloud_apis.catalogue.rows` tells its columns); None: the shipped one.

    Raises `StartError` that names the first faulty lines; `python -m tools.catalogue check FILE` names all.
    """
    path = path or shipped_catalogue()
    rows, faults = read_table(path)
    if faults:
        told = "; ".join(f"line {fault.line}: {fault.what}" for fault in faults[:_TOLD])
        more = f"; and {len(faults) - _TOLD} more" if len(faults) > _TOLD else ""
        raise StartError(f"{path}: {told}{more}")
    return catalogue_of(rows)


def shipped_catalogue() -> Path:
    """The table that comes with the package."""
    return Path(str(resources.files("config"))) / "catalogue.csv"


def read_table(path: Path) -> tuple[list[Row], list[Fault]]:
    """All rows of a file, and all that is wrong in it. Raises `StartError` when it cannot be read as text."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found = list(read_rows(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartError(f"cannot read the catalogue {path}: {reason}") from error
    rows = [row for row in found if isinstance(row, Row)]
    return rows, [fault for fault in found if isinstance(fault, Fault)]


def catalogue_of(rows: Iterable[Row]) -> Catalogue:
    """Rows put together by model: words joined, spans widened, prices listed by date."""
    rows = list(rows)
    makes: dict[str, str] = {}
    models: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.fact == "aliases" and isinstance(row.value, tuple):
            for alias in row.value:
                if row.model:
                    models[key(row.make), key(alias)] = key(row.model)
                else:
                    makes[key(alias)] = key(row.make)
    facts: dict[tuple[str, str], Facts] = {}
    for row in rows:
        if row.fact != "aliases":
            its_make = makes.get(key(row.make), key(row.make))
            place = (its_make, models.get((its_make, key(row.model)), key(row.model)))
            facts[place] = _with(facts.get(place) or Facts(row.make, row.model), row)
    return Catalogue(facts, makes, models)


def _with(facts: Facts, row: Row) -> Facts:
    if isinstance(row.value, Price):
        return replace(facts, prices=tuple(sorted((*facts.prices, row.value), key=lambda price: price.date)))
    name = "engine_power_kw" if row.fact == "engine_power" else row.fact
    old: Sourced[Any] | None = getattr(facts, name)
    value: Span | tuple[str, ...]
    if isinstance(row.value, Span):
        value = row.value if old is None else old.value.with_(row.value)
    else:
        value = tuple(dict.fromkeys((*(old.value if old else ()), *row.value)))
    changed: dict[str, Any] = {name: _sourced(value, old, row)}
    return replace(facts, **changed)


def _sourced(value: T, old: Sourced[Any] | None, row: Row) -> Sourced[T]:
    sources = tuple(dict.fromkeys((*(old.sources if old else ()), row.source)))
    scopes = dict.fromkeys((*(old.scopes if old else ()), *((row.scope,) if row.scope else ())))
    return Sourced(value, sources, tuple(scopes))
