"""The page in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from edge_client.config import WebSettings
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.server import WebPage
from tests.edge_client.browser import Browser, chromium
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.displays.web.test_server import KEY
from tests.edge_client.samples import picture, read, shown

SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


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
    browser.problems.clear()
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
