"""The catalogue: names in any form, facts with their sources, unknown ones as null, faults with their lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_apis.catalogue.facts import Span
from cloud_apis.catalogue.names import key
from cloud_apis.catalogue.rows import COLUMNS, Fault, Row, read_rows
from cloud_apis.catalogue.table import catalogue_of, load_catalogue, read_table, shipped_catalogue
from cloud_apis.errors import StartError

HEAD = ",".join(COLUMNS)


def rows_of(*lines: str) -> list[Row]:
    found = list(read_rows([HEAD, *lines]))
    assert not [row for row in found if isinstance(row, Fault)]
    return [row for row in found if isinstance(row, Row)]


def fault_of(line: str) -> str:
    (found,) = read_rows([HEAD, line])
    assert isinstance(found, Fault)
    assert found.line == 2
    return found.what


@pytest.mark.parametrize("name", ["Mercedes-Benz", "mercedes_benz", "MERCEDES BENZ", " Mercedes–Benz"])
def test_names_are_one_however_they_are_written(name: str) -> None:
    assert key(name) == "mercedesbenz"


def test_facts_are_found_by_other_names() -> None:
    catalogue = catalogue_of(
        rows_of(
            "volkswagen,,aliases,VW,,,,",
            "volkswagen,golf,aliases,Rabbit,,,,",
            "volkswagen,golf,seats,5,,,,A. Author: A book",
        )
    )
    for make, model in (("VW", "Golf"), ("Volkswagen", "rabbit"), ("vw", "RABBIT")):
        facts = catalogue.facts_of(make, model)
        assert facts is not None
        assert facts.seats is not None
        assert facts.seats.value == Span(5, 5)
    assert catalogue.facts_of("VW", "Passat") is None
    assert catalogue.facts_of("Škoda", "Golf") is None


def test_sources_are_joined_and_spans_widened() -> None:
    facts = catalogue_of(
        rows_of(
            "x,y,engine_power,100 hp,,,early,https://a.example/1",
            "x,y,engine_power,60-70 kW,,,late,https://a.example/2",
            "x,y,years,1990-2000,,,,https://a.example/1",
            "x,y,years,1998-,,,,https://a.example/2",
            "x,y,fuels,petrol|diesel,,,,https://a.example/1",
            "x,y,fuels,diesel|electric,,,,https://a.example/1",
            "x,y,price,20000-30000,EUR,2016-05,base,https://a.example/2",
            "x,y,price,9000,USD,1993,,https://a.example/1",
        )
    ).facts_of("X", "Y")
    assert facts is not None
    assert facts.engine_power_kw is not None
    assert facts.engine_power_kw.value == Span(60, 75)
    assert facts.engine_power_kw.scopes == ("early", "late")
    assert facts.years is not None
    assert facts.years.value == Span(1990, None)
    assert facts.fuels is not None
    assert facts.fuels.value == ("petrol", "diesel", "electric")
    assert facts.fuels.sources == ("https://a.example/1",)
    assert [(p.low, p.high, p.currency, p.date) for p in facts.prices] == [
        (9000, 9000, "USD", "1993"),
        (20000, 30000, "EUR", "2016-05"),
    ]


def test_what_is_unknown_is_null() -> None:
    facts = catalogue_of(rows_of("x,y,seats,4-5,,,,https://a.example/1")).facts_of("x", "y")
    assert facts is not None
    told = json.loads(json.dumps(facts.to_json()))
    assert told["seats"] == {"value": {"low": 4, "high": 5}, "sources": ["https://a.example/1"], "scopes": []}
    unknown = {"body_types", "engine_power_kw", "fuels", "gearboxes", "years", "prices"}
    assert {name for name, value in told.items() if value is None} == unknown


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x,y,colour,red,,,,https://a.example/1", "there is no fact 'colour'"),
        ("x,y,seats,5,,,,", "needs a source"),
        ("x,y,seats,5,,,,Wikipedia", "needs a source"),
        (",y,seats,5,,,,https://a.example/1", "the make is missing"),
        ("x,,seats,5,,,,https://a.example/1", "the model is missing"),
        ("x,y,seats,many,,,,https://a.example/1", "5 or 4-5"),
        (f"x,y,seats,{'9' * 310},,,,https://a.example/1", "5 or 4-5"),
        (f"x,y,years,1989-{'9' * 310},,,,https://a.example/1", "1989-2019"),
        (f"x,y,engine_power,{'9' * 310} hp,,,,https://a.example/1", "44-110 kW"),
        (f"x,y,price,{'9' * 5000},USD,1993,,https://a.example/1", "neither a whole number"),
        ("x,y,seats,5-4,,,,https://a.example/1", "not a span"),
        ("x,y,seats,5-,,,,https://a.example/1", "no upper end"),
        ("x,y,engine_power,100,,,,https://a.example/1", "44-110 kW"),
        ("x,y,engine_power,100 V,,,,https://a.example/1", "44-110 kW"),
        ("x,y,years,1789-1800,,,,https://a.example/1", "not a span within 1885"),
        ("x,y,fuels,coal,,,,https://a.example/1", "'coal' is not among petrol"),
        ("x,y,fuels,,,,,https://a.example/1", "leave the row out"),
        ("x,y,seats,5,EUR,,,https://a.example/1", "prices only"),
        ("x,y,price,9000,,1993,,https://a.example/1", "ISO 4217"),
        ("x,y,price,9000,USD,93,,https://a.example/1", "the date '93'"),
        ("x,y,price,9-8,USD,1993,,https://a.example/1", "does not rise"),
        ("x,y,price,cheap,USD,1993,,https://a.example/1", "neither a whole number"),
        ("x,y,seats,5,,,US, base,https://a.example/1", "more values than columns"),
    ],
)
def test_a_faulty_line_says_what_to_write(line: str, told: str) -> None:
    assert told in fault_of(line)


def test_wrong_columns_are_told_once() -> None:
    (found,) = read_rows(["make,model,fact,worth,source", "x,y,seats,5,https://a.example/1"])
    assert isinstance(found, Fault)
    assert "missing: value" in found.what
    assert "unknown: 'worth'" in found.what


def test_a_faulty_file_does_not_load(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"{HEAD}\nx,y,seats,5,,,,https://a.example/1\nx,y,seats,none,,,,https://a.example/1\n")
    with pytest.raises(StartError, match=r"mine\.csv: line 3: seats"):
        load_catalogue(file)
    with pytest.raises(StartError, match="cannot read the catalogue"):
        load_catalogue(tmp_path / "missing.csv")
    file.write_bytes(b"make\xff")
    with pytest.raises(StartError, match="not UTF-8"):
        load_catalogue(file)


def test_the_shipped_table_is_sound_and_every_fact_has_its_source() -> None:
    rows, faults = read_table(shipped_catalogue())
    assert not faults
    assert all(row.source for row in rows if row.fact != "aliases")
    catalogue = load_catalogue()
    assert len(catalogue) >= 20
    mustang = catalogue.facts_of("Ford", "MUSTANG")
    assert mustang is not None
    assert (10800, 21000, "USD", "1993") in [(p.low, p.high, p.currency, p.date) for p in mustang.prices]
    assert catalogue.facts_of("Trabant", "of the year 3000") is None


def test_rows_that_say_the_same_twice_are_none() -> None:
    rows, _ = read_table(shipped_catalogue())
    told = [(key(r.make), key(r.model), r.fact, r.value, r.scope, r.source) for r in rows]
    assert len(told) == len(set(told))
