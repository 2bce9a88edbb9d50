"""What uvicorn does not bound: heads that grow, that never end, and bodies that nobody wants any more."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from cloud_apis import http_limits
from cloud_apis.web.app import create_app
from tests.cloud_apis.pictures import grey_jpeg, png_header, scene
from tests.cloud_apis.serving import running, tiny_settings

FORM = "POST /crnn HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=xx\r\n"
CHUNKED = f"{FORM}Transfer-Encoding: chunked\r\n\r\n".encode()


def told(url: str, *pieces: bytes) -> bytes:
    """What comes back, until the server hangs up."""
    address = urlsplit(url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            while more := connection.recv(65536):
                answer += more
        except ConnectionError:
            pass
    return answer


@pytest.mark.parametrize(
    "pieces",
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 30_000,),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 30_000 + b"\r\n",),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 300_000,),
        (b"GET /" + b"b" * 300_000,),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 60_000,),
        (CHUNKED, b"1;" + b"x" * 600_000),
    ],
)
def test_what_grows_without_end_is_refused(url: str, pieces: tuple[bytes, ...]) -> None:
    answer = told(url, *pieces)
    assert not answer or answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))
    assert b" 200 " not in answer
    assert requests.get(f"{url}/v2/health/live", timeout=30).ok


def test_a_usual_head_is_taken(url: str) -> None:
    headers = {f"X-{n}": "y" * 100 for n in range(60)}
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{url}/v2/health/live", headers=headers, timeout=30).ok


@pytest.fixture
def hasty(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(http_limits, "HEAD_S", 0.2)
    monkeypatch.setattr(http_limits, "UNREAD_S", 0.2)
    with running(create_app(tiny_settings(models), api_key="k")) as address:
        yield address


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nA: "])
def test_a_head_that_does_not_come_is_not_waited_for(hasty: str, begin: bytes) -> None:
    assert told(hasty, begin).startswith(b"HTTP/1.1 408 ")


def test_the_rest_of_a_body_that_was_answered_is_not_waited_for(hasty: str) -> None:
    answer = told(hasty, f"{FORM}Content-Length: 5000\r\n\r\n--xx".encode())
    assert answer.startswith(b"HTTP/1.1 401 ")


def test_a_body_is_refused_as_soon_as_it_shows_what_it_is(url: str) -> None:
    head = "POST /yolov3 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/{}\r\nContent-Length: 1000000\r\n\r\n"
    jpeg = grey_jpeg(scene())
    at = jpeg.index(b"\xff\xc0") + 5
    huge = jpeg[:at] + b"\xff\xdc\xff\xdc" + jpeg[at + 4 :]
    part = b'--xx\r\nContent-Disposition: form-data; name="imgs"\r\n\r\nx\r\n'
    for request, status in (
        (head.format("jpeg").encode() + huge[:400], b"413"),
        (head.format("png").encode() + png_header(65_500, 65_500)[:40], b"413"),
        (head.format("jpeg").encode() + b"no picture at all", b"400"),
        (f"{FORM}Content-Length: 1000000\r\n\r\n".encode() + part * 70, b"413"),
    ):
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.sendall(request)  # the rest of the body never comes
            assert connection.recv(65536).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("packing", ["gzip", "br", "gzip, gzip", "x"])
def test_packed_bodies_are_not_unpacked(url: str, packing: str) -> None:
    headers = {"content-type": "image/jpeg", "content-encoding": packing}
    answer = requests.post(f"{url}/yolov3", grey_jpeg(scene()), headers=headers, timeout=30)
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["error"]["message"]
