"""Every wrong request is answered with an error body and its own status, and none ends the server."""

from __future__ import annotations

import base64
import json
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import MAX_BYTES
from cloud_apis.web.app import create_app
from tests.cloud_apis.pictures import grey_jpeg, png_header, scene
from tests.cloud_apis.serving import running, tiny_settings

PICTURE = grey_jpeg(scene())
JPEG = {"content-type": "image/jpeg"}
FORM = {"content-type": "multipart/form-data; boundary=xx"}
PART = b'--xx\r\nContent-Disposition: form-data; name="imgs"; filename="0.jpg"\r\n\r\n' + PICTURE + b"\r\n"


def refused(answer: requests.Response, *statuses: int) -> str:
    assert answer.status_code in statuses, answer.text
    assert answer.json().keys() == {"error"}
    error = answer.json()["error"]
    assert error.keys() == {"code", "message"}
    assert len(error["message"]) > 5
    return str(error["message"])


@pytest.mark.parametrize("path", ["yolov3", "license-plate-reader"])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "image/jpeg", 400),
        (b"text", "image/jpeg", 400),
        (PICTURE[:200], "image/jpeg", 400),
        (PICTURE[:-200], "image/jpeg", 400),
        (png_header(60_000, 60_000), "image/png", 413),
        (PICTURE, "image/webp", 415),
        (PICTURE, "application/octet-stream", 415),
        (PICTURE, "", 415),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"img": null}', "application/json", 422),
        (b'{"img": "", "x": 1}', "application/json", 422),
        (b'{"img": ""}', "application/json", 400),
        (b'{"img": "%%%"}', "application/json", 400),
        (b'{"img": "\xc3\xa9"}', "application/json", 400),
        (b'{"img": "AAAA"}', "application/json", 400),
    ],
)
def test_what_is_no_picture(url: str, path: str, body: bytes, kind: str, status: int) -> None:
    refused(requests.post(f"{url}/{path}", data=body, headers={"content-type": kind}, timeout=30), status)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", FORM, 400),
        (PART, FORM, 400),
        (PART[:40], FORM, 400),
        (b"nonsense", FORM, 400),
        (PART + b"--xx--\r\n", {"content-type": "multipart/form-data"}, 400),
        (PART.replace(b'"imgs"', b'"img"') + b"--xx--\r\n", FORM, 422),
        (PART.replace(b"Content-Disposition", b"X-Nothing") + b"--xx--\r\n", FORM, 422),
        (PART.replace(PICTURE, b"text") + b"--xx--\r\n", FORM, 400),
        (PART + PART.replace(PICTURE, png_header(9999, 9999)) + b"--xx--\r\n", FORM, 413),
        (PICTURE, JPEG, 415),
        (b'{"imgs": [1]}', {"content-type": "application/json"}, 422),
        (b'{"imgs": {}}', {"content-type": "application/json"}, 422),
        (b'{"imgs": ["%"]}', {"content-type": "application/json"}, 400),
        (b'{"img": []}', {"content-type": "application/json"}, 422),
    ],
)
def test_what_are_no_crops(url: str, body: bytes, headers: dict[str, str], status: int) -> None:
    refused(requests.post(f"{url}/crnn", data=body, headers=headers, timeout=30), status)


class Bomb:
    """Leaves a trace if it is ever unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.trace,)


def test_a_pickle_is_refused_and_never_opened(url: str, tmp_path: Path) -> None:
    bomb = pickle.dumps([Bomb(tmp_path / "trace")], protocol=0)
    encoded = base64.b64encode(bomb).decode()
    message = refused(requests.post(f"{url}/crnn", json={"imgs": encoded}, timeout=30), 415)
    assert "multipart/form-data" in message
    assert "base64" in message
    for kind in ("application/octet-stream", "application/x-pickle", "application/python-pickle"):
        answer = requests.post(f"{url}/crnn", data=bomb, headers={"content-type": kind}, timeout=30)
        assert refused(answer, 415) == message
    assert list(tmp_path.iterdir()) == []


def test_unknown_paths_and_methods(url: str) -> None:
    refused(requests.get(f"{url}/nothing", timeout=30), 404)
    refused(requests.get(f"{url}/v2/models/nothing", timeout=30), 404)
    answer = requests.get(f"{url}/yolov3", timeout=30)
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_a_body_that_is_too_large_is_answered(url: str) -> None:
    large = PICTURE + b"\0" * MAX_BYTES
    refused(requests.post(f"{url}/yolov3", data=large, headers=JPEG, timeout=30), 413)
    refused(requests.post(f"{url}/yolov3", data=iter([PICTURE, large]), headers=JPEG, timeout=30), 413)
    refused(requests.post(f"{url}/crnn", files=[("imgs", large), ("imgs", large)], timeout=30), 413)
    refused(requests.post(f"{url}/yolov3", json={"img": "A" * 12_000_000}, timeout=30), 413)
    refused(requests.post(f"{url}/yolov3", json={"img": base64.b64encode(large).decode()}, timeout=30), 413)
    edge = PICTURE + b"\0" * (MAX_BYTES - len(PICTURE))
    assert requests.post(f"{url}/yolov3", data=edge, headers=JPEG, timeout=30).ok


def raw(url: str, head: str) -> socket.socket:
    connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=30)
    connection.sendall(f"POST /yolov3 HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n{head}\r\n".encode())
    return connection


def test_a_body_that_claims_to_be_endless_is_not_waited_for(url: str) -> None:
    with raw(url, "Content-Length: 99999999999\r\n") as connection:
        answer = connection.makefile("rb").read()  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["error"]["code"] == "too_large"


def test_a_body_without_an_end_is_cut_off(url: str) -> None:
    chunk = b"100000\r\n" + b"\0" * 0x100000 + b"\r\n"
    with raw(url, "Transfer-Encoding: chunked\r\n") as connection, pytest.raises(OSError):
        for _ in range(1000):
            connection.sendall(chunk)


@pytest.fixture
def impatient(models: Path) -> Iterator[str]:
    with running(create_app(tiny_settings(models, body_timeout_s=0.05))) as address:
        yield address


def test_a_body_that_does_not_arrive_is_not_waited_for(impatient: str) -> None:
    with raw(impatient, "Content-Length: 5000\r\n") as connection:
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["error"]["code"] == "too_slow"


def test_a_client_that_leaves_within_the_body_harms_nobody(url: str) -> None:
    with raw(url, "Content-Length: 5000\r\n") as connection:
        connection.sendall(b"\xff\xd8")
    assert requests.post(f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30).ok


@given(body=st.binary(max_size=300), kind=st.sampled_from(["application/json", FORM["content-type"], "image/png", "x"]))
def test_no_body_breaks_the_server(url: str, body: bytes, kind: str) -> None:
    for path in ("yolov3", "crnn", "license-plate-reader"):
        for content in (body, PART + body, b'{"imgs": ["' + body + b'"]}'):
            answer = requests.post(f"{url}/{path}", data=content, headers={"content-type": kind}, timeout=30)
            refused(answer, 400, 413, 415, 422)
