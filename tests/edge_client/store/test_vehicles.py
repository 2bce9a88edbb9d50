"""What cars look like in the reads file: searched, exported, told to others, and kept without a plate."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gpxpy
import pytest

from edge_client.config import EdgeSettings
from edge_client.outbox.box import Mailing
from edge_client.spool.doubles import Doubles
from edge_client.store.drive_store import open_drive_store
from edge_client.store.drives import DriveStart
from edge_client.store.export import write_csv, write_json
from edge_client.store.geojson import write_geojson
from edge_client.store.gpx import write_gpx
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.secrecy import PlateSecret
from edge_client.store.writer import SqliteReads
from edge_client.types import TrackRead, Vehicle
from tests.edge_client.samples import START, read

SWIFT = Vehicle("car", "hatchback", "red", "suzuki", "swift", 0.8, 0.9, 0.7, 0.6)
BENZ = Vehicle("car", "", "grey", "mercedes-benz", "", 0.0, 0.55, 0.9, 0.0)
SKODA = Vehicle("car", "wagon", "silver", "Škoda", "Octavia", 0.7, 0.8, 0.9, 0.9)
TRUCK = Vehicle("truck", "truck", "", "", "", 0.9)
SECRET = PlateSecret(b"0123456789abcdef")


def unread(uid: str, vehicle: Vehicle = SWIFT, *, seconds: float = 0.0) -> TrackRead:
    """A car whose plate could not be read."""
    return replace(
        read(uid, "", 0.0, seconds=seconds, place=(45.75, 21.22)), vehicle=vehicle, ended=True, drive="d", singles=()
    )


@pytest.fixture
def library(tmp_path: Path) -> Iterator[ReadLibrary]:
    store = SqliteReads(tmp_path / "reads.db")
    store.begin_drive(DriveStart("d", START, source="road.mp4"))
    cars = {"a": SWIFT, "b": BENZ, "c": SKODA, "d": TRUCK, "e": None}
    for n, (uid, vehicle) in enumerate(cars.items()):
        store.save(replace(read(uid, f"B10{n}ABC", seconds=n), vehicle=vehicle, drive="d"))
    store.save(unread("f", seconds=9))
    store.close()
    with ReadLibrary(tmp_path / "reads.db") as opened:
        yield opened


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [
        (ReadFilter(colour="red", make="suzuki"), "fa"),
        (ReadFilter(colour="RED", make="Suzuki", model="SWIFT", vehicle_type="Hatchback"), "fa"),
        (ReadFilter(colour="red", with_plate=True), "a"),
        (ReadFilter(colour="red", with_plate=False), "f"),
        (ReadFilter(with_plate=True), "edcba"),
        (ReadFilter(make="mercedes benz"), "b"),
        (ReadFilter(make="Mercedes*"), "b"),
        (ReadFilter(colour="gray"), "b"),
        (ReadFilter(make="skoda"), "c"),
        (ReadFilter(model="octav?a"), "c"),
        (ReadFilter(make="*"), "fcba"),
        (ReadFilter(make="*", text="B10?ABC"), "cba"),
        (ReadFilter(vehicle_type="truck"), "d"),
        (ReadFilter(make="suz"), ""),
        (ReadFilter(make="%' OR 1=1"), ""),
        (ReadFilter(text="*"), "edcba"),  # what has no plate fits no plate
        (ReadFilter(like="B100ABC", distance=20), "edcba"),
        (ReadFilter(min_confidence=0.5), "edcba"),
        (ReadFilter(), "fedcba"),
    ],
)
def test_filters(library: ReadLibrary, wanted: ReadFilter, uids: str) -> None:
    assert "".join(found.uid for found in library.find(wanted)) == uids


def test_what_was_stored_is_given_back(library: ReadLibrary) -> None:
    found = {r.uid: r.vehicle for r in library.find(ReadFilter())}
    assert found == {"a": SWIFT, "b": BENZ, "c": SKODA, "d": TRUCK, "e": None, "f": SWIFT}
    (drive,) = library.drives()
    assert drive.reads == 5  # plates


def test_exports_tell_of_cars(library: ReadLibrary) -> None:
    reads = {r.uid: r for r in library.find(ReadFilter())}
    text = io.StringIO()
    write_csv([reads["b"], reads["f"]], text)
    benz, swift = csv.DictReader(io.StringIO(text.getvalue()))
    assert (benz["Colour"], benz["Make"], benz["Type"], benz["Type Confidence"]) == ("grey", "mercedes-benz", "", "")
    assert (swift["License Plate"], swift["Model"], swift["Model Confidence"]) == ("", "swift", "0.6000")
    text = io.StringIO()
    write_json([reads["a"], reads["e"]], text)
    told, nothing = json.loads(text.getvalue())
    assert nothing["vehicle"] is None
    assert told["vehicle"] == {
        "title": "red Suzuki Swift",
        "kind": "car",
        **{"type": "hatchback", "colour": "red", "make": "suzuki", "model": "swift"},
        **{"type_confidence": 0.8, "colour_confidence": 0.9, "make_confidence": 0.7, "model_confidence": 0.6},
    }
    text = io.StringIO()
    write_geojson([reads["f"]], [], text)
    (feature,) = json.loads(text.getvalue())["features"]
    assert feature["properties"]["vehicle"]["make"] == "suzuki"
    text = io.StringIO()
    write_gpx([reads["f"]], [], text)
    (point,) = gpxpy.parse(text.getvalue()).waypoints
    assert (point.name, point.type) == ("red Suzuki Swift", "vehicle")
    assert "was not read" in str(point.description)


def test_csv_is_harmless(tmp_path: Path, library: ReadLibrary) -> None:
    (found,) = library.find(ReadFilter(with_plate=False))
    text = io.StringIO()
    write_csv([replace(found, vehicle=Vehicle("car", make="=cmd()", model="swift"))], text)
    assert ",'=cmd()," in text.getvalue()


def test_events_tell_of_the_car_and_that_it_became_known(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path, mailing=Mailing(("a",), frozenset({"new", "update", "end"}), 100))
    plain = replace(read("t"), drive="d")
    store.save(plain)
    store.save(replace(plain, vehicle=SWIFT))
    store.save(replace(plain, vehicle=SWIFT))  # nothing new
    store.end_drive("d", START)  # tells of what is stored
    store.save(unread("v"))
    store.close()
    connection = sqlite3.connect(path)
    events = [json.loads(row[0]) for row in connection.execute("SELECT payload FROM outbox ORDER BY id")]
    connection.close()
    kinds = [(e["track"], e["kind"], e["vehicle"] and e["vehicle"]["title"]) for e in events]
    assert kinds == [
        ("t", "new", None),
        ("t", "update", "red Suzuki Swift"),
        ("t", "end", "red Suzuki Swift"),
        ("v", "new", "red Suzuki Swift"),
        ("v", "end", "red Suzuki Swift"),
    ]
    assert events[-1]["plate"] == ""


def test_where_plates_are_hashed_no_picture_of_a_car_is_kept(tmp_path: Path) -> None:
    store = SqliteReads(tmp_path / "reads.db", secret=SECRET)
    store.save(unread("v"))
    store.save(replace(read("t"), vehicle=SWIFT))
    store.close()
    with ReadLibrary(tmp_path / "reads.db", SECRET) as library:
        found = {r.uid: r for r in library.find(ReadFilter(colour="red"))}
        assert (found["v"].text, found["v"].hashed, found["t"].hashed) == ("", False, True)
        assert library.crop(found["v"].id) == b""
        assert library.count_hashed() == 1


def test_a_car_without_a_plate_is_no_known_plate(tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text("- plate: B1\n  distance: 4.0\n- {plate: A, action: ignore, distance: 4.0}\n")
    settings = EdgeSettings.model_validate({"reads": {"known_file": tmp_path / "known.yaml"}})
    store = open_drive_store(settings, tmp_path / "reads.db")
    heard: list[TrackRead] = []
    store.listen(heard.append)
    store.save(unread("v"))
    store.close()
    assert (store.alerts(), [r.uid for r in heard]) == ((), ["v"])
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [(r.uid, r.known) for r in library.find(ReadFilter())] == [("v", "")]


def test_cars_without_plates_are_never_taken_for_each_other() -> None:
    doubles = Doubles(30.0)
    first, second = unread("v1"), unread("v2", seconds=1)
    assert [r.supersedes for r in doubles.live([first, second])] == [(), ()]
    late = replace(read("late", "B1", seconds=1), drive="d")
    assert doubles.late([late]) == [late]
    assert doubles.count == 0
