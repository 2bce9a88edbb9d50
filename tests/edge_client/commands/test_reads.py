"""`dashcam reads` on a file with two drives."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gpxpy
import pytest

from edge_client.cli import main
from edge_client.commands.moments import parse_moment
from edge_client.store.drives import DriveStart, Position
from edge_client.store.known import KnownPlate
from edge_client.store.secrecy import PlateSecret
from edge_client.store.writer import SqliteReads
from edge_client.types import Vehicle
from tests.edge_client.samples import START, read, single

SOUTH = (-33.925, 18.424)
NOW = datetime(2026, 5, 2, 15, 30, tzinfo=UTC)
KEY = "0123456789abcdef"
Dashcam = Callable[..., str]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reads") / "reads.db"
    store = SqliteReads(path)
    for n, drive in enumerate(("d1", "d2")):
        store.begin_drive(DriveStart(drive, START + timedelta(days=n), source="road.mp4"))
        store.add_positions(drive, [Position(START + timedelta(days=n, seconds=s), 45.75, 21.22) for s in (0, 1)])
    store.end_drive("d1", START + timedelta(minutes=12))
    store.save(replace(read("a", "B101ABC", place=(45.7537, 21.2257), singles=(single(1),)), drive="d1"))
    friend = KnownPlate("TM02XYZ", "=friend", "", "alert", 0.0)
    store.save(replace(read("b", "TM02XYZ", seconds=86_400, place=(46.0, 21.0)), drive="d2", speed_mps=12.5), friend)
    store.save(replace(read("c", "8101ABC", seconds=86_410), drive="d2"))
    store.close()
    return path


SWIFT = Vehicle("car", "hatchback", "red", "suzuki", "swift", 0.8, 0.9, 0.7, 0.6)


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two red Suzukis, one of them without a plate, and a white van."""
    path = tmp_path_factory.mktemp("cars") / "reads.db"
    store = SqliteReads(path)
    store.save(replace(read("a", "B101ABC"), vehicle=SWIFT))
    store.save(replace(read("b", "", 0.0, seconds=10), vehicle=replace(SWIFT, model="", model_confidence=0.0)))
    store.save(replace(read("c", "TM02XYZ", seconds=20), vehicle=Vehicle("car", "van", "white", "", "", 0.7, 0.8)))
    store.close()
    return path


@pytest.fixture
def dashcam(file: Path, capsys: pytest.CaptureFixture[str]) -> Dashcam:
    def run(*arguments: str, code: int = 0) -> str:
        assert main(["reads", *arguments, "--reads", str(file)]) == code
        told = capsys.readouterr()
        return told.out + told.err

    return run


@pytest.mark.parametrize(
    ("arguments", "plates"),
    [
        (["--plate", "b?01*"], ["B101ABC"]),
        (["--plate", "tm-02-xyz"], ["TM02XYZ"]),
        (["--like", "B101ABC"], ["8101ABC", "B101ABC"]),
        (["--like", "BIO1ABC", "--distance", "0"], ["B101ABC"]),
        (["--near", "45.7537,21.2257,50"], ["B101ABC"]),
        (["--drive", "d2", "--unknown"], ["8101ABC"]),
        (["--known"], ["TM02XYZ"]),
        (["--since", "2026-05-02", "--until", "2026-05-03"], ["8101ABC", "TM02XYZ"]),
        (["--limit", "1"], ["8101ABC"]),
    ],
)
def test_search(dashcam: Dashcam, arguments: list[str], plates: list[str]) -> None:
    shown = dashcam("search", *arguments)
    assert [p for p in ("8101ABC", "TM02XYZ", "B101ABC") if p in shown] == plates
    assert [r["text"] for r in json.loads(dashcam("export", "--format", "json", *arguments))] == plates[::-1]


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        (["--colour", "red", "--make", "suzuki"], ["red Suzuki", "red Suzuki Swift"]),
        (["--color", "RED", "--model", "Swift"], ["red Suzuki Swift"]),
        (["--make", "Suz*", "--without-plate"], ["red Suzuki"]),
        (["--type", "van"], ["white van"]),
        (["--with-plate"], ["white van", "red Suzuki Swift"]),
        (["--make", "fiat"], []),
    ],
)
def test_cars_are_found_by_their_looks(
    cars: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], titles: list[str]
) -> None:
    assert main(["reads", "export", "--format", "json", *arguments, "--reads", str(cars)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [r["vehicle"]["title"] for r in found[::-1]] == titles
    assert main(["reads", "search", *arguments, "--reads", str(cars)]) == 0
    table = capsys.readouterr().out
    assert [row.split("│")[4].strip() for row in table.splitlines() if row.startswith("│")] == titles
    assert ("not read" in table) is ("red Suzuki" in titles)


def test_one_read_tells_all_of_its_car(cars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reads", "show", "1", "--reads", str(cars)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for name, value in (("type", "hatchback 80%"), ("colour", "red 90%"), ("make", "Suzuki 70%"), ("model", "Swift")):
        assert f"{name} │ {value}" in told
    with pytest.raises(SystemExit) as end:
        main(["reads", "search", "--make", "...", "--reads", str(cars)])
    assert end.value.code == 2
    assert "is no name" in capsys.readouterr().err


def test_nothing_found(dashcam: Dashcam) -> None:
    assert "no reads fit" in dashcam("search", "--plate", "ZZ*")


def test_csv_is_harmless_and_has_all(dashcam: Dashcam) -> None:
    rows = list(csv.DictReader(io.StringIO(dashcam("export"))))
    assert [row["Known As"] for row in rows] == ["", "'=friend", ""]
    assert rows[1]["Speed (m/s)"] == "12.50"
    assert [row["Drive"] for row in rows] == ["d1", "d2", "d2"]


def test_gpx_and_geojson_have_the_drives(dashcam: Dashcam, tmp_path: Path) -> None:
    gpx = gpxpy.parse(dashcam("export", "--format", "gpx"))
    assert [track.comment for track in gpx.tracks] == ["d1", "d2"]
    assert [point.name for point in gpx.waypoints] == ["B101ABC", "TM02XYZ"]
    told = dashcam("export", "--format", "geojson", "--plate", "B101*", "-o", str(tmp_path / "out.json"))
    assert "1 reads are in" in told
    features = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["kind"] for feature in features] == ["read", "drive"]


def test_drives_notes_and_one_read(dashcam: Dashcam) -> None:
    shown = dashcam("drives")
    assert "0:12:00" in shown
    assert "not ended" in shown
    assert dashcam("note", "1", "my neighbour") == ""
    assert "my neighbour" in dashcam("show", "1")
    assert "my neighbour" in dashcam("list")
    assert "there is no read 99" in dashcam("note", "99", "nobody", code=1)


def test_hashed_reads_are_found_by_the_whole_plate_with_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "edge.yaml").write_text(
        f"reads:\n  file: {tmp_path / 'reads.db'}\n  hash_key_file: {tmp_path / 'key'}\n"
    )
    store = SqliteReads(tmp_path / "reads.db", secret=PlateSecret(KEY.encode()))
    store.save(read("a", "B101ABC", singles=(single(1),)))
    store.close()
    config = ["--config", str(tmp_path / "edge.yaml")]
    assert main(["reads", "search", "--plate", "b 101 abc", *config]) == 0
    assert f"#{PlateSecret(KEY.encode()).digest('B101ABC')[:12]}" in capsys.readouterr().out
    for arguments in (["--plate", "B101*"], ["--like", "B101ABC"]):
        assert main(["reads", "search", *arguments, *config]) == 0
        told = capsys.readouterr()
        assert "no reads fit" in told.out
        assert "1 reads are keyed hashes" in told.err
    assert main(["reads", "search", "--plate", "B101ABC", "--reads", str(tmp_path / "reads.db")]) == 0
    assert "reads.hash_key_file" in capsys.readouterr().err
    assert main(["reads", "show", "1", "--crop", str(tmp_path / "crop.jpg"), *config]) == 1
    assert not (tmp_path / "crop.jpg").exists()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T10:30+02:00", datetime(2026, 5, 1, 8, 30, tzinfo=UTC)),
        ("2026-05-01 10:30Z", datetime(2026, 5, 1, 10, 30, tzinfo=UTC)),
        ("9:05", datetime(2026, 5, 2, 9, 5, tzinfo=UTC)),
        ("09:05:30", datetime(2026, 5, 2, 9, 5, 30, tzinfo=UTC)),
        ("now", NOW),
        ("Today", datetime(2026, 5, 2, tzinfo=UTC)),
        ("yesterday", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2h", NOW - timedelta(hours=2)),
        ("90m ago", NOW - timedelta(minutes=90)),
        ("1w", NOW - timedelta(weeks=1)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "999999w", "-2h", "2y"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no time"):
        parse_moment(text, NOW)


@pytest.mark.parametrize("near", [["--near", "-33.9,18.4,5000"], ["--near=-33.9,18.4,5000"]])
def test_places_in_the_south_are_found(tmp_path: Path, near: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reads.db"
    store = SqliteReads(path)
    store.save(read("a", "CA123456", place=SOUTH))
    store.save(read("b", "TM02XYZ", place=(45.75, 21.22)))
    store.close()
    assert main(["reads", "search", *near, "--reads", str(path)]) == 0
    out = capsys.readouterr().out
    assert ("CA123456" in out, "TM02XYZ" in out) == (True, False)


def test_the_largest_limit_and_number_are_taken(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    most = str(2**63 - 1)
    assert main(["reads", "list", "--limit", most, "--distance", most, "--like", "B101ABC", "--reads", str(file)]) == 0
    for action in (["show", most], ["note", most, "words"]):
        assert main(["reads", *action, "--reads", str(file)]) == 1
        assert f"there is no read {most}" in capsys.readouterr().err
