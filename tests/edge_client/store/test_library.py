"""Searching and exporting reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge_client.store.export import CSV_COLUMNS, write_csv, write_json
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import START, read


@pytest.fixture
def library(tmp_path: Path) -> Iterator[ReadLibrary]:
    store = SqliteReads(tmp_path / "reads.db")
    store.save(read("a", "B123XYZ", 0.95, seconds=0, place=(45.75, -21.22)))
    store.save(read("b", "B99MMM", 0.70, seconds=3600))
    store.save(read("c", "=CMD()", 0.50, seconds=7200))
    store.close()
    with ReadLibrary(tmp_path / "reads.db") as opened:
        yield opened


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [
        (ReadFilter(), "cba"),
        (ReadFilter(limit=2), "cb"),
        (ReadFilter(text="B*"), "ba"),
        (ReadFilter(text="b123xy?"), "a"),
        (ReadFilter(text="B99"), ""),
        (ReadFilter(min_confidence=0.7), "ba"),
        (ReadFilter(since=START + timedelta(seconds=3000)), "cb"),
        (ReadFilter(since=START + timedelta(seconds=1)), "cba"),  # still seen then
        (ReadFilter(until=START + timedelta(seconds=3600)), "a"),
        (
            ReadFilter(since=START + timedelta(seconds=3), until=START + timedelta(seconds=7200), min_confidence=0.6),
            "b",
        ),
    ],
)
def test_filters(library: ReadLibrary, wanted: ReadFilter, uids: str) -> None:
    assert "".join(found.uid for found in library.find(wanted)) == uids


def test_one_read_by_its_number(library: ReadLibrary) -> None:
    found = library.get(2)
    assert found is not None
    assert found.text == "B99MMM"
    assert library.get(99) is None
    assert library.crop(99) is None
    assert library.singles(99) == []
    assert library.is_sound()


def test_json_has_the_promised_fields(library: ReadLibrary) -> None:
    text = io.StringIO()
    write_json(library.find(ReadFilter()), text)
    found = json.loads(text.getvalue())
    assert [x["text"] for x in found] == ["=CMD()", "B99MMM", "B123XYZ"]
    assert {"text", "confidence", "first_seen", "last_seen", "latitude", "longitude"} <= set(found[0])
    assert found[0]["latitude"] is None
    assert (found[2]["latitude"], found[2]["longitude"]) == (45.75, -21.22)
    assert found[2]["first_seen"] == "2026-05-01T10:00:00.250Z"


def test_csv_begins_with_the_original_columns_and_is_harmless(library: ReadLibrary) -> None:
    text = io.StringIO()
    write_csv(library.find(ReadFilter()), text)
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert CSV_COLUMNS[:3] == ("Date", "License Plate", "Coordinates")
    assert tuple(rows[0]) == CSV_COLUMNS
    assert rows[0]["License Plate"] == "'=CMD()"  # no formula for a spreadsheet
    assert (rows[0]["Coordinates"], rows[0]["Latitude"], rows[0]["Fix Age (s)"]) == ("", "", "")
    assert rows[2]["Date"] == "2026-05-01 10:00:00"
    assert rows[2]["Coordinates"] == "45.750000, -21.220000"


def test_nothing_to_export() -> None:
    text = io.StringIO()
    write_json([], text)
    assert json.loads(text.getvalue()) == []
    text = io.StringIO()
    write_csv([], text)
    assert text.getvalue() == ",".join(CSV_COLUMNS) + "\n"
