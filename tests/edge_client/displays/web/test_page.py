"""The page in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge_client.config import WebSettings
from edge_client.displays.web.archive import Archive
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.server import WebPage
from edge_client.store.drives import DriveStart, Position
from edge_client.store.writer import SqliteReads
from edge_client.types import (
    Alert,
    NetworkStatus,
    RecordingState,
    RecordingStatus,
    SourceState,
    SourceStatus,
    Vehicle,
)
from tests.browser import Browser, chromium
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.displays.web.test_server import KEY
from tests.edge_client.samples import START, picture, read, shown

SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(autouse=True)
def blank(browser: Browser) -> None:
    """No page of the test before goes on asking its closed server, and no key is remembered."""
    browser.call("Network.clearBrowserCookies")
    browser.open("about:blank", *SIZES["desk"])
    browser.wait_for("location.href == 'about:blank'")
    browser.problems.clear()


@pytest.fixture
def board() -> LiveBoard:
    board = LiveBoard(source="drive <b>1</b>.avi")
    board.set_status(STATUS, None)
    board.add(read("a", "B123XYZ", 0.95, place=(45.75, -21.22)))
    board.add(read("b", "<i>HI</i>", 0.45))
    return board


@pytest.fixture
def page(board: LiveBoard) -> Iterator[WebPage]:
    """A page with a moving picture."""
    ended = threading.Event()
    with closing(WebPage("127.0.0.1", 0, WebSettings(), board)) as page:

        def feed() -> None:
            number = 0
            while not ended.wait(0.05):
                page.show(shown(number), picture(640, 360, value=50 + number % 150))
                number += 1

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            yield page
        finally:
            ended.set()
            feeder.join()


@pytest.mark.parametrize("size", SIZES)
def test_picture_reads_and_state_are_there(browser: Browser, page: WebPage, board: LiveBoard, size: str) -> None:
    browser.open(page.url, *SIZES[size], phone=size == "phone")
    browser.wait_for("document.getElementById('picture').naturalWidth == 640")
    browser.wait_for("document.getElementById('veil').hidden")
    browser.wait_for("document.querySelectorAll('.card').length == 2")
    texts = browser.value("[...document.querySelectorAll('.plate')].map(e => e.textContent)")
    assert texts == ["<i>HI</i>", "B123XYZ"]  # newest first, and as text
    assert browser.value("document.querySelectorAll('.plate i, #source b').length") == 0
    assert browser.value("document.getElementById('source').textContent") == "drive <b>1</b>.avi"
    assert browser.value("document.querySelector('.where a').href").startswith("geo:45.75")
    browser.wait_for("[...document.querySelectorAll('.crop')].every(e => e.naturalWidth == 64)")
    states = browser.value("[...document.querySelectorAll('.state')].map(e => e.className + ' ' + e.textContent)")
    assert "state bad crnndown: no answer" in states
    assert "state ok GPSfix" in states
    assert "24.5" in browser.value("document.getElementById('counters').textContent")

    # Nothing hangs over the side, and fingers find what they are to touch.
    assert browser.value("document.documentElement.scrollWidth") <= SIZES[size][0]
    small = "[...document.querySelectorAll('button, input')].filter(e => e.offsetHeight && e.offsetHeight < 40).length"
    assert browser.value(small) == 0

    board.add(read("c", "CJ08TUX", 0.99))
    browser.wait_for("document.querySelector('.card .plate').textContent == 'CJ08TUX'")
    board.add(replace(read("c", "CJ88TUX", 0.99), supersedes=("a",)))
    browser.wait_for("[...document.querySelectorAll('.plate')].map(e => e.textContent).join() == 'CJ88TUX,<i>HI</i>'")
    assert browser.problems == []


@pytest.mark.parametrize("size", SIZES)
def test_a_lost_camera_is_said_over_the_last_picture(
    browser: Browser, page: WebPage, board: LiveBoard, size: str
) -> None:
    browser.open(page.url, *SIZES[size], phone=size == "phone")
    browser.wait_for("document.getElementById('veil').hidden")
    lost = SourceStatus(SourceState.RECONNECTING, 3, "the device is gone")
    alert = Alert("a", "<b>B1", "<i>van</i>", "", START)
    board.set_status(replace(STATUS, camera=lost, network=NetworkStatus(False, spooled=5), alerts=(alert,)), None)
    browser.wait_for("!document.getElementById('veil').hidden")
    assert (
        browser.value("document.getElementById('veil').textContent") == "camera: reconnecting (3), the device is gone"
    )
    states = browser.value("[...document.querySelectorAll('.state')].map(e => e.className + ' ' + e.textContent)")
    assert states[:2] == [
        "state bad camerareconnecting (3), the device is gone",
        "state bad networkgone, 5 to read later",
    ]
    assert browser.value("document.querySelector('.alert').textContent").startswith("<b>B1<i>van</i>")
    assert browser.value("document.querySelectorAll('#alerts i, #alerts b b').length") == 0
    board.set_status(STATUS, None)
    browser.wait_for("document.getElementById('veil').hidden && !document.querySelector('.alert')")
    browser.wait_for("document.getElementById('lock').hidden")  # nothing is recorded


@pytest.mark.parametrize("size", SIZES)
def test_the_recording_is_kept_by_a_button(browser: Browser, board: LiveBoard, size: str) -> None:
    presses: list[bool] = []
    board.set_status(replace(STATUS, recording=RecordingStatus(RecordingState.RECORDING, "x")), None)

    def press() -> bool:
        presses.append(True)
        return True

    with closing(WebPage("127.0.0.1", 0, WebSettings(), board, on_lock=press, key=KEY)) as page:
        browser.open(f"{page.url}?key={KEY.replace(' ', '+')}", *SIZES[size], phone=size == "phone")
        browser.wait_for("!document.getElementById('lock').hidden")
        assert browser.value("document.getElementById('lock').offsetHeight") >= 40
        browser.value("document.getElementById('lock').click()")
        browser.wait_for("document.getElementById('lock').textContent.trim() == 'This recording is kept'")
    assert presses == [True]
    assert browser.problems == []


@pytest.fixture(scope="module")
def reads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reads") / "reads.db"
    with closing(SqliteReads(path)) as store:
        store.begin_drive(DriveStart("d1", START, source="<b>cam</b>"))
        store.add_positions("d1", [Position(START + timedelta(seconds=s), 45.75 + s * 1e-5, 21.22) for s in range(90)])
        for n in range(60):
            one = read(f"d1-{n}", f"B{n:02d}XYZ", seconds=float(n), place=(45.75 + n * 1e-5, 21.22))
            store.save(replace(one, drive="d1", speed_mps=13.9))
        store.save(replace(read("d1-x", "<i>HI</i>", seconds=70.0), drive="d1"))
    return path


@pytest.mark.parametrize("size", SIZES)
def test_the_list_is_searched_drawn_and_downloaded(
    browser: Browser, board: LiveBoard, reads_file: Path, size: str
) -> None:
    with closing(WebPage("127.0.0.1", 0, WebSettings(), board, archive=Archive(reads_file))) as page:
        browser.open(f"{page.url}#list", *SIZES[size], phone=size == "phone")
        cards = "document.querySelectorAll('#found .card').length"
        browser.wait_for(f"{cards} == 50 && document.querySelectorAll('.track').length == 1")
        assert browser.value("getComputedStyle(document.getElementById('live-view')).display") == "none"
        assert browser.value("document.querySelector('#found .plate').textContent") == "<i>HI</i>"
        assert browser.value("document.querySelectorAll('#found .plate i, #drives b').length") == 0
        assert "<b>cam</b>" in browser.value("document.getElementById('drives').textContent")

        # All that can be drawn is inside the map: the track, 49 places, a scale and the way to the north.
        assert browser.value("document.querySelectorAll('.mark').length") == 49
        inside = (
            "[...document.querySelectorAll('.track, .mark, .scale, .north')].every(e => { const a = "
            "e.getBoundingClientRect(), m = document.getElementById('map').getBoundingClientRect(); return a.left >= "
            "m.left - 16 && a.right <= m.right + 16 && a.top >= m.top - 16 && a.bottom <= m.bottom + 16; })"
        )
        assert browser.value(inside)
        assert browser.value("document.querySelector('.scale text').textContent").endswith(" m")
        length = browser.value("document.getElementById('drive-length').textContent")
        assert length in ("99 m", "98.9 m")

        # A mark on the map leads to its read, and back.
        browser.value("document.querySelectorAll('.mark')[3].dispatchEvent(new Event('click'))")
        chosen = browser.value("document.querySelector('.card.chosen .plate').textContent")
        assert browser.value("document.querySelector('.mark.chosen text').textContent") == chosen

        browser.value("document.getElementById('older').click()")
        browser.wait_for(f"{cards} == 11 && !document.getElementById('newer').disabled")
        browser.value(
            "document.querySelector('#search [name=plate]').value = 'b 0?xyz';"
            "document.getElementById('search').requestSubmit()"
        )
        browser.wait_for(f"{cards} == 10")
        link = browser.value("document.querySelector('#exports a[data-format=gpx]').href")
        assert link.endswith("/export/reads.gpx?plate=b+0%3Fxyz")
        text = f"fetch('{link}').then(a => a.text())"
        assert browser.value(text).count("<wpt ") == 10
        browser.value(
            "document.querySelector('#search [name=near]').value = 'here';"
            "document.getElementById('search').requestSubmit()"
        )
        browser.wait_for("document.getElementById('problem').textContent.includes('is no place')")
        assert [p for p in browser.problems if "400" not in p] == []

        assert browser.value("document.documentElement.scrollWidth") <= SIZES[size][0]
        small = (
            "[...document.querySelectorAll('button, input, select, nav a, #exports a')]"
            ".filter(e => e.offsetHeight && e.offsetHeight < 36).map(e => e.outerHTML)"
        )
        assert browser.value(small) == []
        browser.value("location.hash = '#live'")
        browser.wait_for(
            "document.getElementById('list-view').hidden && document.querySelectorAll('#list .card').length == 2"
        )


def test_finding_a_plate(browser: Browser, page: WebPage) -> None:
    browser.open(page.url, *SIZES["desk"])
    browser.wait_for("document.querySelectorAll('.card').length == 2")
    browser.value(
        "(f => { f.value = 'b 123'; f.dispatchEvent(new Event('input')); })(document.getElementById('filter'))"
    )
    shown_cards = (
        "[...document.querySelectorAll('.card')].filter(e => !e.hidden).map(e => e.children[1].children[0].textContent)"
    )
    assert browser.value(shown_cards) == ["B123XYZ"]


@pytest.mark.parametrize("size", SIZES)
def test_cars_stand_beside_their_plates_and_are_found_by_their_looks(
    browser: Browser, board: LiveBoard, tmp_path: Path, size: str
) -> None:
    hostile = Vehicle("car", "van", "white", "<b>fiat</b>", "", 0.7, 0.9, 0.8)
    swift = Vehicle("car", "hatchback", "red", "suzuki", "swift", 0.8, 0.9, 0.7, 0.6)
    reads = [
        replace(read("h", "B99HHH"), vehicle=hostile),
        replace(read("s", "", 0.0, seconds=5, place=(45.75, 21.22)), vehicle=swift),
    ]
    with closing(SqliteReads(tmp_path / "reads.db")) as store:
        for each in reads:
            board.add(each)
            store.save(each)
    with closing(WebPage("127.0.0.1", 0, WebSettings(), board, archive=Archive(tmp_path / "reads.db"))) as page:
        browser.open(page.url, *SIZES[size], phone=size == "phone")
        browser.wait_for("document.querySelectorAll('#list .card').length == 4")
        cards = "[...document.querySelectorAll('#list .card')].filter(e => !e.hidden)"
        cars = "[...document.querySelectorAll('#list .car')].filter(e => e.offsetHeight).map(e => e.textContent)"
        assert browser.value(cars) == ["red Suzuki Swift", "white <b>fiat</b>"]
        assert browser.value("document.querySelectorAll('.car b').length") == 0
        unread = "document.querySelector('#list .card')"
        assert browser.value(f"{unread}.querySelector('.plate').textContent") == "plate not read"
        assert browser.value(f"{unread}.querySelector('.sure').offsetHeight") == 0
        assert browser.value(f"getComputedStyle({unread}.querySelector('.spot')).backgroundColor") == "rgb(207, 47, 51)"
        assert "make suzuki 70 %" in browser.value(f"{unread}.querySelector('.car').title")
        browser.value(
            "(f => { f.value = 'suzuki'; f.dispatchEvent(new Event('input')); })(document.getElementById('filter'))"
        )
        assert browser.value(f"{cards}.length") == 1
        assert browser.value("document.documentElement.scrollWidth") <= SIZES[size][0]

        browser.value("location.hash = '#list'")
        browser.wait_for("document.querySelectorAll('#found .card').length == 2")
        browser.value(
            "document.querySelector('#search [name=colour]').value = 'Red';"
            "document.querySelector('#search [name=make]').value = 'SUZUKI';"
            "document.getElementById('search').requestSubmit()"
        )
        browser.wait_for("document.querySelectorAll('#found .card').length == 1")
        assert browser.value("document.querySelector('#found .car').textContent") == "red Suzuki Swift"
        browser.value("document.querySelector('#found .on-map').click()")
        assert browser.value("document.querySelector('.mark.chosen text').textContent") == "red Suzuki Swift"
        link = browser.value("document.querySelector('#exports a[data-format=csv]').href")
        assert "colour=Red&make=SUZUKI" in link
        assert browser.value(f"fetch('{link}').then(a => a.text())").count("suzuki") == 1
        assert browser.value("document.documentElement.scrollWidth") <= SIZES[size][0]
        assert browser.problems == []


def test_a_restart_is_noticed(browser: Browser, board: LiveBoard) -> None:
    first = WebPage("127.0.0.1", 0, WebSettings(), board)
    port = int(first.url.rsplit(":", 1)[1].rstrip("/"))
    browser.open(first.url, *SIZES["phone"], phone=True)
    browser.wait_for("document.querySelectorAll('.card').length == 2")
    first.close()
    browser.wait_for("document.getElementById('link').textContent == 'connection lost'")
    other = LiveBoard(source="next.avi")
    other.add(read("z", "AB12CDE"))
    with closing(WebPage("127.0.0.1", port, WebSettings(), other)) as second:
        second.show(shown(), picture(320, 180))
        browser.wait_for("document.getElementById('link').textContent == 'live'")
        browser.wait_for("document.getElementById('picture').naturalWidth == 320")
        assert browser.value("[...document.querySelectorAll('.plate')].map(e => e.textContent)") == ["AB12CDE"]


def test_the_key_is_asked_for(browser: Browser, board: LiveBoard) -> None:
    with closing(WebPage("127.0.0.1", 0, WebSettings(), board, key=KEY)) as page:
        browser.open(page.url, *SIZES["phone"], phone=True)
        browser.wait_for("document.getElementById('key')")
        enter = "document.getElementById('key').value = '{}'; document.querySelector('form').submit()"
        browser.value(enter.format("wrong"))
        browser.wait_for("document.getElementById('wrong') && !document.getElementById('wrong').hidden")
        browser.value(enter.format(KEY))
        browser.wait_for("document.querySelectorAll('.card').length == 2")
        assert KEY not in browser.value("document.cookie + location.href")
