"""The rows of a catalogue's CSV: one fact each, with its source; every fault is told with its line.

Columns: ``make, model, fact, value, currency, date, scope, source``.

=============  ==============================================================================================
fact           value
=============  ==============================================================================================
body_types     of `BODY_TYPES`, joined by ``|``
seats          a number or a span: ``5``, ``4-5``
engine_power   a span with its unit, ``kW``, ``hp`` (mechanical, 0.7457 kW) or ``PS`` (0.7355 kW): ``44-110 kW``
fuels          of `FUELS`, joined by ``|``
gearboxes      of `GEARBOXES`, joined by ``|``
years          first and last year of production: ``1989-2019``; ``1974-``: the source names no end
price          whole units of ``currency`` (ISO 4217) at ``date`` (1993, 2016-05 or 2016-05-31): ``8400-15800``
aliases        other names of the model, joined by ``|``; without a model: of the make. Needs no source
=============  ==============================================================================================
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cloud_apis.catalogue.facts import Price, Span

COLUMNS = ("make", "model", "fact", "value", "currency", "date", "scope", "source")
BODY_TYPES = (
    "sedan", "hatchback", "coupe", "suv", "van", "convertible", "wagon", "pickup", "truck", "bus", "minibus",
    "motorcycle", "threewheeler",
)  # fmt: skip
FUELS = ("petrol", "diesel", "electric", "hybrid", "plug-in hybrid", "cng", "lpg", "ethanol", "hydrogen")
GEARBOXES = ("manual", "automatic", "cvt", "dual-clutch", "automated manual", "single-speed")
LISTED = {"body_types": BODY_TYPES, "fuels": FUELS, "gearboxes": GEARBOXES}
SPANNED = ("seats", "engine_power", "years")
FACTS = (*LISTED, *SPANNED, "price", "aliases")
KW = {"kw": 1.0, "hp": 0.745699872, "bhp": 0.745699872, "ps": 0.73549875}
LIMITS = {"seats": (1, 100), "engine_power": (1, 2000), "years": (1885, 2100)}
"""Least and greatest value that is believed."""
# Twelve digits are a price in any currency; hundreds would overflow a float.
_SPAN = re.compile(r"(\d{1,12})\s*(?:([-–])\s*(\d{1,12})?)?\s*([A-Za-z]+)?")
_DATE = re.compile(r"(1[89]|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_SOURCE = re.compile(r"https?://[^\s/]+\.\S+|\S+ .+")


@dataclass(frozen=True, slots=True)
class Row:
    """One fact as read: ``value`` is a tuple of words, a `Span` or a `Price`, as its ``fact`` asks."""

    make: str
    model: str
    fact: str
    value: tuple[str, ...] | Span | Price
    scope: str
    source: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a line of a table (the first, with the columns' names, is 1)."""

    line: int
    what: str


def read_rows(lines: Iterable[str]) -> Iterator[Row | Fault]:
    """Every row of a CSV, or what is wrong with it; where the columns are wrong, one fault and no rows."""
    reader = csv.DictReader(lines, strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in COLUMNS if name not in names and name not in ("currency", "date", "scope")]
        unknown = [name for name in names if name not in COLUMNS]
        if missing or unknown:
            told = [f"missing: {', '.join(missing)}"] if missing else []
            told += [f"unknown: {', '.join(map(repr, unknown))}"] if unknown else []
            yield Fault(1, f"the columns must be {', '.join(COLUMNS)} ({'; '.join(told)})")
            return
        reader.fieldnames = names
        for record in reader:
            values = {name: (record.get(name) or "").strip() for name in COLUMNS}
            if None in record:
                yield Fault(reader.line_num, "there are more values than columns: put values with commas in quotes")
            elif any(values.values()):
                yield _row(values, reader.line_num)
    except csv.Error as error:
        yield Fault(reader.line_num, f"this is no CSV: {error}")


def _row(values: dict[str, str], line: int) -> Row | Fault:
    try:
        return parse(values)
    except ValueError as error:
        return Fault(line, str(error))


def parse(values: dict[str, str]) -> Row:
    """One row from its columns, all of which are there; raises ValueError that says what to write instead."""
    make, model, fact = values["make"], values["model"], values["fact"].lower()
    if fact not in FACTS:
        raise ValueError(f"there is no fact {values['fact']!r}; there are {', '.join(FACTS)}")
    if not make:
        raise ValueError("the make is missing")
    if fact == "aliases":
        return Row(make, model, fact, _words(values["value"]), "", values["source"])
    if not model:
        raise ValueError("the model is missing (only aliases may be of a make as a whole)")
    if not _SOURCE.fullmatch(values["source"]):
        raise ValueError("a fact needs a source: a URL, or author and title")
    if fact == "price":
        return Row(make, model, fact, _price(values), values["scope"], values["source"])
    if values["currency"]:
        raise ValueError(f"currency belongs to prices only, not to {fact}")
    if allowed := LISTED.get(fact):
        words = _words(values["value"].lower())
        if wrong := [word for word in words if word not in allowed]:
            raise ValueError(f"{fact}: {', '.join(map(repr, wrong))} is not among {', '.join(allowed)}")
        return Row(make, model, fact, words, values["scope"], values["source"])
    return Row(make, model, fact, _span(fact, values["value"]), values["scope"], values["source"])


def _words(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split("|") if word.strip()))
    if not words:
        raise ValueError("the value is missing; leave the row out where nothing is known")
    return words


def _span(fact: str, text: str) -> Span:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{fact}: {text!r} is neither a number nor a span such as {_example(fact)}")
    first, dash, last, unit = found.groups()
    if (fact == "engine_power") != (unit is not None) or (unit and unit.lower() not in KW):
        raise ValueError(f"{fact}: write it as {_example(fact)}, not as {text!r}")
    if dash and last is None and fact != "years":
        raise ValueError(f"{fact}: {text!r} has no upper end")
    scale = KW[unit.lower()] if unit else 1.0
    low = round(int(first) * scale)
    high = round(int(last) * scale) if last else None if dash else low
    least, most = LIMITS[fact]
    if not least <= low <= (high if high is not None else most) <= most:
        raise ValueError(f"{fact}: {text!r} is not a span within {least} to {most}")
    return Span(low, high)


def _example(fact: str) -> str:
    return {"seats": "5 or 4-5", "engine_power": "44-110 kW", "years": "1989-2019 or 1974-"}[fact]


def _price(values: dict[str, str]) -> Price:
    found = _SPAN.fullmatch(values["value"])
    if found is None or found[4] or (found[2] and found[3] is None):
        raise ValueError(f"price: {values['value']!r} is neither a whole number nor a span such as 8400-15800")
    low = int(found[1])
    high = int(found[3]) if found[3] else low
    if not 0 < low <= high:
        raise ValueError(f"price: {values['value']!r} does not rise")
    if not re.fullmatch("[A-Z]{3}", values["currency"]):
        raise ValueError(f"price: the currency {values['currency']!r} is no ISO 4217 code such as USD")
    if not _DATE.fullmatch(values["date"]):
        raise ValueError(f"price: the date {values['date']!r} is not of the form 1993, 2016-05 or 2016-05-31")
    return Price(low, high, values["currency"], values["date"], values["scope"], values["source"])
