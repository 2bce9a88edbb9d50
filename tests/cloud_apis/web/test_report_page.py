"""The page that tells what a car is, in a real Chromium, on a desk and on a phone."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from PIL import Image
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_apis.names import Api
from cloud_apis.web.app import create_app
from tests.browser import Browser, chromium
from tests.cloud_apis import tiny_models
from tests.cloud_apis.pictures import bgr_jpeg, scene
from tests.cloud_apis.serving import running, tiny_settings

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
DONE = "document.querySelector('#result').className === 'shown'"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "<b>car.jpg"
    file.write_bytes(bgr_jpeg(cv2.cvtColor(scene(), cv2.COLOR_GRAY2BGR).astype(np.uint8)))
    return file


def choose(browser: Browser, file: Path, field: str = "choose") -> None:
    found = browser.call("Runtime.evaluate", expression=f"document.getElementById('{field}')")
    browser.call("DOM.setFileInputFiles", files=[str(file)], objectId=found["result"]["objectId"])


def opened(browser: Browser, url: str, size: str = "desk") -> None:
    browser.open("about:blank", *SIZES["desk"])
    browser.wait_for("location.href == 'about:blank'")
    browser.problems.clear()
    browser.open(url, *SIZES[size], phone=size == "phone")
    browser.wait_for("document.getElementById('choose')")


def text(browser: Browser, selector: str) -> str:
    return str(browser.value(f"document.querySelector('{selector}').innerText"))


def test_it_needs_nothing_from_elsewhere(url: str) -> None:
    answer = requests.get(url, timeout=30)
    assert answer.url == f"{url}/"
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r"(?:src|href)=\"(?!data:|docs)", answer.text)
    assert set(re.findall(r"https?://[^\"' ]+", answer.text)) <= {"http://www.w3.org/2000/svg"}


def test_without_the_report_the_root_leads_to_the_documentation(models: Path) -> None:
    with running(create_app(tiny_settings(models), apis=[Api.YOLOV3])) as address:
        assert requests.get(address, timeout=30).url == f"{address}/docs"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("field", ["choose", "photograph"])
def test_a_picture_is_drawn_with_a_card_for_its_vehicle(
    browser: Browser, url: str, photo: Path, size: str, field: str
) -> None:
    opened(browser, url, size)
    choose(browser, photo, field)
    browser.wait_for(DONE)
    assert text(browser, "#state").startswith("One vehicle")
    assert browser.value("document.querySelectorAll('#cards article').length") == 1
    assert browser.value("document.querySelectorAll('#scene rect').length") == 2
    assert browser.value("document.querySelectorAll('#cards .bars li').length") >= 3
    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    box = browser.value(
        "(r => [r.left, r.right, innerWidth])(document.querySelector('#scene rect').getBoundingClientRect())"
    )
    assert 0 <= box[0] < box[1] <= box[2]
    assert browser.problems == []


def test_pictures_that_the_server_does_not_take_are_turned_into_ones_it_does(
    browser: Browser, url: str, tmp_path: Path
) -> None:
    large = Image.fromarray(cv2.resize(scene(), (4160, 2340)))
    file = tmp_path / "large.webp"
    large.convert("RGB").save(file, quality=80)
    opened(browser, url)
    choose(browser, file)
    browser.wait_for(DONE)
    assert text(browser, "#state").startswith("One vehicle")


def test_classes_of_ones_own_are_shown(browser: Browser, models: Path, photo: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(models, tmp_path / "models")
    heads = [*tiny_models.HEADS, {"name": "duty", "labels": ["taxi", "bus", "police", "none"]}]
    tiny_models.write(
        folder, "attributes", tiny_models.attributes({**tiny_models.SHIPPED, "duty": "colour"}), heads=heads
    )
    with running(create_app(tiny_settings(folder))) as address:
        opened(browser, address)
        choose(browser, photo)
        browser.wait_for(DONE)
        assert browser.value("document.querySelectorAll('#cards .bars[aria-label=duty] li').length") == 3
        assert browser.problems == []


class FirstHeld:
    """An application whose first report waits until it may be answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.arrived, self.free = threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/vehicle-report" and not self.arrived.is_set():
            self.arrived.set()
            await asyncio.to_thread(self.free.wait, 120)
        await self._app(scope, receive, send)


COUNTED = """(() => { const real = fetch; window.answers = 0; window.fetch = async (...asked) => {
  const response = await real(...asked), json = response.json.bind(response);
  response.json = async () => { const told = await json(); setTimeout(() => answers++); return told; };
  return response; }; })()"""


def test_an_answer_that_comes_late_is_not_drawn_on_the_next_picture(
    browser: Browser, models: Path, photo: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.png"
    Image.new("RGB", (300, 200), (5, 5, 5)).save(empty)
    held = FirstHeld(create_app(tiny_settings(models)))
    with running(held) as address:
        try:
            opened(browser, address)
            browser.value(COUNTED)
            choose(browser, empty)
            assert held.arrived.wait(120)
            choose(browser, photo)
            browser.wait_for("answers === 1")
            assert text(browser, "#state").startswith("One vehicle")
        finally:
            held.free.set()
        browser.wait_for("answers === 2")
        assert text(browser, "#state").startswith("One vehicle")
        assert browser.value("document.querySelectorAll('#cards article').length") == 1
        assert browser.value("document.querySelector('#scene svg').getAttribute('viewBox')") == "0 0 416 234"


def test_a_file_that_is_no_picture_is_said_to_be_none(browser: Browser, url: str, tmp_path: Path) -> None:
    file = tmp_path / "letter.jpg"
    file.write_text("no picture")
    opened(browser, url)
    choose(browser, file)
    browser.wait_for("document.querySelector('#state').className === 'bad'")
    assert "not a picture" in text(browser, "#state")


def test_the_key_is_asked_for(browser: Browser, models: Path, photo: Path) -> None:
    with running(create_app(tiny_settings(models), api_key="secret")) as address:
        opened(browser, address)
        choose(browser, photo)
        browser.wait_for("!document.querySelector('#ask').hidden")
        browser.value("document.querySelector('#key').value = 'wrong'")
        browser.value("document.querySelector('#ask button').click()")
        browser.wait_for("document.querySelector('#state').innerText.includes('not the key')")
        browser.value("document.querySelector('#key').value = 'secret'")
        browser.value("document.querySelector('#ask button').click()")
        browser.wait_for(DONE)
        assert browser.value("document.querySelector('#ask').hidden")
