"""Pages of other sites that ask with a visitor's browser: forms, scripts, names bent to this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cloud_apis.names import Api
from tools.faults.access.page import KEY, page
from tools.faults.access.raw import get, status
from tools.faults.access.tries import Tries
from tools.faults.bombs.requests import picture
from tools.faults.row import Row
from tools.serving import served

_EVIL: Final = "http://evil.example"
_FOREIGN: Final[tuple[tuple[str, ...], ...]] = (
    (f"Origin: {_EVIL}",),
    ("Origin: null",),
    (f"Origin: {_EVIL}", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"),
    ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"),
    ("Origin: http://localhost.evil.example",),
    ("Origin: http://localhost:1",),
    ("Origin: https://user@localhost.",),
)
_HOSTS: Final = (
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "169.254.169.254",
    "0x7f.1",
    "[::2]",
)
_PICTURE: Final = ("Content-Type: image/jpeg",)


def _opens(answer: bytes) -> bool:
    """Whether a foreign page would get to read it."""
    head = answer.partition(b"\r\n\r\n")[0].lower()
    return b"access-control-allow" in head


def rows(folder: Path) -> Iterator[Row]:
    """The APIs, then the dashcam's page."""
    yield _apis()
    yield from page_rows(folder)


def _apis() -> Row:
    tries = Tries("pages of other sites, before the APIs", "403, and no header that lets them read an answer")
    jpeg = picture()
    with served(apis=(Api.YOLOV3,)) as server:
        own = server.url.partition("://")[2]
        for headers in _FOREIGN:
            answer = get(server.url, "/yolov3", *_PICTURE, *headers, method="POST", body=jpeg)
            tries.refused(f"POST with {headers}", status(answer) == 403 and not _opens(answer))
        for host in _HOSTS:
            answer = get(server.url, "/v2/models/yolov3", f"Host: {host}")
            tries.refused(f"host {host}", status(answer) == 403)
        asked = (f"Origin: {_EVIL}", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-api-key")
        answer = get(server.url, "/yolov3", *asked, method="OPTIONS")
        tries.refused("a preflight", status(answer) in (403, 405) and not _opens(answer))
        right = (f"Host: {own}", f"Origin: http://{own}", "Sec-Fetch-Site: same-origin", *_PICTURE)
        tries.welcome("its own page", status(get(server.url, "/yolov3", *right, method="POST", body=jpeg)) == 200)
        answer = get(server.url, "/yolov3", f"Host: {own}", *_PICTURE, method="POST", body=jpeg)
        tries.welcome("a program", status(answer) == 200)
    return tries.row()


def page_rows(folder: Path) -> Iterator[Row]:
    """The dashcam's page, without and with a key."""
    presses: list[bool] = []
    with page(folder, presses=presses) as shown:
        tries = Tries("pages of other sites, before the dashcam's page", "403, and nothing is changed or told")
        own = shown.url.partition("://")[2].rstrip("/")
        for host in _HOSTS:
            for target in ("/", "/api/live", "/api/reads", "/export/reads.csv"):
                tries.refused(f"{target} as {host}", status(get(shown.url, target, f"Host: {host}")) == 403)
        stream = get(shown.url, "/stream.mjpg", f"Host: {_HOSTS[0]}", patience_s=3.0)
        tries.refused(f"the stream as {_HOSTS[0]}", status(stream) == 403)
        for headers in (*_FOREIGN, ()):
            answer = get(shown.url, "/api/lock", f"Host: {own}", *headers, method="POST")
            tries.refused(f"the button with {headers}", status(answer) == 403 and not presses)
        answer = get(shown.url, "/api/reads", f"Host: {own}", f"Origin: {_EVIL}")
        closed = b"cross-origin-resource-policy: same-origin" in answer.lower() and not _opens(answer)
        tries.refused("reading the answer elsewhere", closed)
        tries.refused("within a frame elsewhere", b"x-frame-options: deny" in get(shown.url, "/").lower())
        right = (f"Host: {own}", f"Origin: http://{own}", "Sec-Fetch-Site: same-origin")
        tries.welcome("the page's button", status(get(shown.url, "/api/lock", *right, method="POST")) == 200)
    yield tries.row()
    with page(folder / "keyed", key=KEY) as shown:
        tries = Tries("the dashcam's page without its key", "401, and nothing is told")
        for target in (
            "/",
            "/api/live",
            "/api/reads",
            "/api/track",
            "/export/reads.csv",
            "/reads/1.jpg",
            "/stream.mjpg",
        ):
            for headers in ((), ("Cookie: dashcam_session=",), ("Cookie: dashcam_session=0",), (f"X-API-Key: {KEY}",)):
                answer = get(shown.url, target, *headers)
                tries.refused(f"{target} with {headers}", status(answer) == 401 and b"pwned" not in answer)
        answers = [status(get(shown.url, f"/?key=guess{n}")) for n in range(12)]
        tries.refused("guessing on", answers[:10] == [401] * 10 and answers[10:] == [429] * 2)
    yield tries.row()
