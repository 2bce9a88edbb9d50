"""Scripts within plate texts and file names, in a real browser without a screen, and in what is exported.

The page is looked at as it stands after its scripts ran: what a harmful text made of it shows there.
"""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from tools.browser import find_chromium, started
from tools.faults.access.page import FORMULAS, SCRIPTS, page
from tools.faults.access.raw import get, status
from tools.faults.access.tries import Tries
from tools.faults.row import Row

_FAULT: Final = "scripts in plate texts and file names, on the page"
_PROMISED: Final = "they stand there as text, none has run"
_VIEWS: Final = {"": "#list .card", "#list": "#found .card"}
_FOREIGN_TAGS: Final = {"iframe", "base", "object", "embed", "math"}


class Look(HTMLParser):
    """What of a page is not its own: elements and attributes that texts must not make."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.found: list[str] = []
        self.text = ""
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self._within.append(tag)
        known = dict(attrs)
        if tag in _FOREIGN_TAGS:
            self.found.append(f"an element {tag}")
        for name, value in known.items():
            if name.startswith("on") or name == "srcdoc" or "javascript:" in (value or "").lower().replace("&", ""):
                self.found.append(f"{tag} with {name}={value!r}")
        if tag == "script" and not (known.get("src") or "").startswith(
            ("/", "page.js", "list.js", "map.js", "shared.js")
        ):
            self.found.append("a script of no file")
        if known.get("src") == "x":
            self.found.append("a picture from a text")

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Text."""
        if "title" in self._within:
            self.title += data
        if "script" in self._within or "style" in self._within:
            self.found += ["a text within script or style"] if "pwned" in data or "leak" in data else []
        else:
            self.text += data


def rows(folder: Path) -> Iterator[Row]:
    """Exports, then the page where there is a browser."""
    with page(folder) as shown:
        yield _exports(shown.url)
        command = find_chromium()
        if command is None:
            yield Row(_FAULT, _PROMISED, "not tried: Chromium is not installed (apt-get install chromium)", kept=None)
            return
        tries = Tries(_FAULT, _PROMISED)
        with started(command) as browser:
            for view, texts in _VIEWS.items():
                browser.open("about:blank", 1280, 800)
                browser.open(f"{shown.url}{view}", 1280, 800)
                browser.wait_for(f"document.querySelectorAll({json.dumps(texts)}).length >= {len(SCRIPTS)}")
                look = Look()
                look.feed(str(browser.value("document.documentElement.outerHTML")))
                title = str(browser.value("document.title"))
                for payload in SCRIPTS:
                    tries.refused(f"{payload!r} at /{view}: {look.found[:2]}", not look.found and "pwned" not in title)
                tries.welcome(f"a text as it is at /{view}", SCRIPTS[0] in look.text)
        yield tries.row()


def _exports(url: str) -> Row:
    tries = Tries("scripts and formulas in exports", "well-formed, texts as texts, no cell is a formula")
    texts = set(SCRIPTS + FORMULAS)
    table = _body(url, "csv").decode("utf-8")
    cells = [cell for line in csv.reader(io.StringIO(table, newline="")) for cell in line]
    for payload in (*FORMULAS, *SCRIPTS):
        started = any(cell.strip(" ").startswith(("=", "+", "@", "\t", "\r")) for cell in cells)
        tries.refused(f"{payload!r} as CSV", not started)
    reads = json.loads(_body(url, "json"))
    tries.welcome("JSON has all texts", {read["text"] for read in reads} == texts)
    places = json.loads(_body(url, "geojson"))
    tries.welcome("GeoJSON is JSON", places["type"] == "FeatureCollection")
    names = [element.text or "" for element in ET.fromstring(_body(url, "gpx")).iter() if element.tag.endswith("name")]  # noqa: S314 (our own file)
    tries.welcome("GPX has texts as texts", SCRIPTS[0] in names)
    for kind in ("csv", "json", "gpx", "geojson"):
        answer = get(url, f"/export/reads.{kind}")
        head = answer.partition(b"\r\n\r\n")[0].lower()
        safe = b"nosniff" in head and b"content-disposition: attachment" in head and b"text/html" not in head
        tries.refused(f"opening {kind} as a page", status(answer) == 200 and safe)
    return tries.row()


def _body(url: str, kind: str) -> bytes:
    return get(url, f"/export/reads.{kind}").partition(b"\r\n\r\n")[2]
