"""The list, the map and the downloads over real sockets from a real reads file; and the lock button."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from edge_client.displays.web.access import is_same_origin
from edge_client.displays.web.archive import Archive, BadFilterError, filter_from
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.server import WebPage
from edge_client.store.drives import DriveStart, Position
from edge_client.store.secrecy import PlateSecret
from edge_client.store.writer import SqliteReads
from edge_client.types import Vehicle
from tests.edge_client.displays.web.test_server import KEY, SETTINGS, get
from tests.edge_client.samples import START, jpeg, read

PLACE = (45.7537, 21.2257)


@pytest.fixture(scope="module")
def reads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drives: one with 120 reads and a track with a gap, one with a formula, markup and no position."""
    path = tmp_path_factory.mktemp("reads") / "reads.db"
    with closing(SqliteReads(path)) as store:
        store.begin_drive(DriveStart("d1", START, source="one <b>.mp4"))
        store.add_positions(
            "d1",
            [
                Position(START + timedelta(seconds=s), PLACE[0] + s * 1e-5, PLACE[1])
                for s in [*range(100), *range(400, 430)]
            ],
        )
        for n in range(120):
            first = read(f"d1-{n}", f"B{n:03d}XYZ", seconds=float(n), place=(PLACE[0] + n * 1e-3, PLACE[1]))
            store.save(replace(first, drive="d1"))
        store.begin_drive(DriveStart("d2", START + timedelta(hours=1), source="two.mp4"))
        store.save(replace(read("d2-1", "<i>=1+1", seconds=4000.0), drive="d2"))
    return path


@pytest.fixture
def presses() -> list[bool]:
    return []


@pytest.fixture
def page(reads_file: Path, presses: list[bool]) -> Iterator[WebPage]:
    def press() -> bool:
        presses.append(True)
        return len(presses) < 3

    board = LiveBoard(source="drive.avi")
    with closing(WebPage("127.0.0.1", 0, SETTINGS, board, archive=Archive(reads_file), on_lock=press)) as page:
        yield page


def test_pages_of_reads_newest_first(page: WebPage) -> None:
    first = get(page, "/api/reads").json()
    assert (first["page"], first["more"], len(first["reads"])) == (1, True, 50)
    assert [r["text"] for r in first["reads"][:3]] == ["<i>=1+1", "B119XYZ", "B118XYZ"]
    last = get(page, "/api/reads?page=3").json()
    assert (last["page"], last["more"], len(last["reads"])) == (3, False, 21)
    assert last["reads"][-1]["text"] == "B000XYZ"
    assert get(page, "/api/reads?page=4").json()["reads"] == []
    crop = get(page, first["reads"][1]["crop"])
    assert crop.content == jpeg()
    assert crop.headers["Content-Type"] == "image/jpeg"
    assert crop.headers["Cache-Control"] == "no-store"  # the number of a read that goes is given again


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("plate=b 11?xyz", [f"B{n}XYZ" for n in range(119, 109, -1)]),
        ("plate=B00*&until=2026-05-01T10:00:03Z", ["B002XYZ", "B001XYZ", "B000XYZ"]),
        ("since=2026-05-01T11:00Z", ["<i>=1+1"]),
        (f"near={PLACE[0]},{PLACE[1]},250", ["B002XYZ", "B001XYZ", "B000XYZ"]),
        ("like=BOO1XYZ&until=2026-05-01T10:00:02Z", ["B001XYZ", "B000XYZ"]),
        ("drive=d2", ["<i>=1+1"]),
        ("plate=ZZZ*", []),
        ("plate=&near=&since=&other=x&drive=d2", ["<i>=1+1"]),
    ],
)
def test_the_filters_of_the_command(page: WebPage, query: str, texts: list[str]) -> None:
    assert [r["text"] for r in get(page, f"/api/reads?{query}").json()["reads"]] == texts


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("near=somewhere", "near"),
        ("near=95,0,10", "near"),
        ("near=1,2", "near"),
        ("since=whenever", "since"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=99999999", "page"),
        ("plate=---", "plate"),
        ("known=perhaps", "known"),
        ("plate=" + "A" * 300, "too long"),
        ("plate=%00A", "no"),
    ],
)
@pytest.mark.parametrize("path", ["/api/reads", "/export/reads.csv"])
def test_filters_that_make_no_sense_are_explained_in_one_line(page: WebPage, path: str, query: str, told: str) -> None:
    if query.startswith("page") and path != "/api/reads":
        return
    answer = get(page, f"{path}?{query}")
    assert answer.status_code == 400
    message = answer.json()["error"]
    assert told in message
    assert "\n" not in message
    assert len(message) < 400


def test_where_plates_are_hashed_no_picture_of_a_car_is_promised(tmp_path: Path) -> None:
    secret = PlateSecret(b"0123456789abcdef")
    swift = Vehicle("car", colour="red", colour_confidence=0.9)
    with closing(SqliteReads(tmp_path / "reads.db", secret=secret)) as store:
        store.save(replace(read("a", "", 0.0), vehicle=swift))
    for known, crop in ((secret, ""), (None, "/reads/1.jpg")):
        answer = json.loads(json.dumps(Archive(tmp_path / "reads.db", known).reads({"colour": "RED"})))
        assert [(r["crop"], r["vehicle"]["title"]) for r in answer["reads"]] == [(crop, "red car")]
    with pytest.raises(BadFilterError, match="is no name"):
        filter_from({"make": "---"})


def test_a_value_cannot_become_a_flag() -> None:
    assert filter_from({"plate": "--limit=1 *"}).text == "--limit=1 *"
    assert filter_from({"limit": "1", "config": "/etc/passwd"}).is_empty()
    with pytest.raises(BadFilterError):
        filter_from({"near": "--known"})


def test_the_track_is_cut_where_nothing_was_known(page: WebPage) -> None:
    answer = get(page, "/api/track?drive=d1").json()
    assert answer["drive"] == "d1"
    assert [drive["uid"] for drive in answer["drives"]] == ["d2", "d1"]  # newest first
    assert [len(segment) for segment in answer["segments"]] == [100, 30]
    assert answer["segments"][0][0] == [45.7537, 21.2257]
    latest = get(page, "/api/track").json()
    assert (latest["drive"], latest["segments"]) == ("d2", [])
    assert get(page, "/api/track?drive=none").json()["segments"] == []


def test_a_long_track_is_thinned_and_keeps_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "long.db"
    with closing(SqliteReads(path)) as store:
        store.begin_drive(DriveStart("d", START))
        points = [Position(START + timedelta(seconds=s), 45 + s * 1e-5, 21.0) for s in range(7001)]
        store.add_positions("d", points)
    segments = Archive(path).track("d")["segments"]
    assert isinstance(segments, list)
    ((*_, last),) = segments
    assert len(segments[0]) <= 3001
    assert (segments[0][0], last) == ([45.0, 21.0], [45.07, 21.0])


def test_downloads(page: WebPage) -> None:
    answer = get(page, "/export/reads.csv?plate=B00?*")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="reads-2')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["License Plate"] for row in rows] == [f"B{n:03d}XYZ" for n in range(10)]
    everything = get(page, "/export/reads.json").json()
    assert len(everything) == 121
    gpx = ET.fromstring(get(page, "/export/reads.gpx?drive=d1").content)  # noqa: S314 - our own
    assert len(gpx.findall("{*}wpt")) == 120
    assert [len(part.findall("{*}trkpt")) for part in gpx.findall("{*}trk/{*}trkseg")] == [100, 30]
    features = json.loads(get(page, "/export/reads.geojson?drive=d1").content)["features"]
    assert [f["geometry"]["type"] for f in features].count("Point") == 120
    assert get(page, "/export/reads.exe").status_code == 404
    assert get(page, "/export/reads.csv.json").status_code == 404


@pytest.mark.parametrize("path", ["/reads/99999.jpg", "/reads/-1.jpg", "/reads/x.jpg", "/reads/" + "9" * 30 + ".jpg"])
def test_pictures_that_are_not_there(page: WebPage, path: str) -> None:
    assert get(page, path).status_code == 404


def test_a_file_that_is_gone_or_damaged_is_said_so_and_the_page_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    board = LiveBoard(source="drive.avi")
    with closing(WebPage("127.0.0.1", 0, SETTINGS, board, archive=Archive(path))) as page:
        for damage in (None, b"garbage" * 1000):
            if damage is not None:
                path.write_bytes(damage)
            for address in ("/api/reads", "/api/track", "/export/reads.csv", "/reads/1.jpg"):
                answer = get(page, address)
                assert answer.status_code == 503
                assert answer.json() == {"error": "the reads cannot be read now"}
        assert get(page, "/api/live").status_code == 200


def test_nothing_of_the_list_without_the_key(reads_file: Path) -> None:
    board = LiveBoard(source="drive.avi")
    with closing(
        WebPage("127.0.0.1", 0, SETTINGS, board, key=KEY, archive=Archive(reads_file), on_lock=lambda: True)
    ) as page:
        for path in ("/api/reads", "/api/track", "/export/reads.csv", "/reads/1.jpg"):
            answer = get(page, path)
            assert answer.status_code == 401
            assert "XYZ" not in answer.text
        assert post(page, {"Origin": page.url.rstrip("/")}).status_code == 401


def post(page: WebPage, headers: dict[str, str]) -> requests.Response:
    return requests.post(f"{page.url}api/lock", headers=headers, timeout=30)


def test_the_lock_button(page: WebPage, presses: list[bool]) -> None:
    own = {"Origin": page.url.rstrip("/")}
    assert post(page, own).json() == {"locked": True}
    assert post(page, {"Sec-Fetch-Site": "same-origin"}).json() == {"locked": True}
    answer = post(page, own)
    assert (answer.status_code, answer.json()) == (409, {"error": "nothing is recorded"})
    assert len(presses) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "OWN"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_no_foreign_page_can_press_it(page: WebPage, presses: list[bool], headers: dict[str, str]) -> None:
    own = page.url.rstrip("/")
    assert post(page, {name: value.replace("OWN", own) for name, value in headers.items()}).status_code == 403
    assert get(page, "/api/lock").status_code == 404  # nor a picture or a link
    assert presses == []


def test_origins() -> None:
    assert is_same_origin("https://car.local", None, "car.local")
    assert is_same_origin("http://[::1]:8081", "same-origin", "[::1]:8081")
    assert not is_same_origin("file://", None, "")
    assert not is_same_origin("http://car.local", None, None)
