from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from edge_client.config import PoolSettings
from edge_client.errors import (
    ApiError,
    ApiGarbageError,
    ApiOverloadedError,
    ApiRefusedError,
    ApiTimeoutError,
    ApiUnreachableError,
)
from edge_client.requests.transport import Body, Transport
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis

QUICK = PoolSettings(connect_timeout_s=1.0, read_timeout_s=0.3, retry_jitter_s=0.01)
JPEG = Body(data=b"jpeg", content_type="image/jpeg")


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


def test_posts_bytes_with_type_and_key_over_one_connection(apis: FakeApis) -> None:
    transport = Transport(QUICK, {"X-API-Key": "secret"})
    for _ in range(2):
        answer = transport.post(apis.yolov3, JPEG)
        assert isinstance(answer, dict)
        assert "boxes" in answer
    assert apis.bodies == [b"jpeg", b"jpeg"]
    assert apis.headers[0]["Content-Type"] == "image/jpeg"
    assert apis.headers[0]["X-API-Key"] == "secret"


def test_posts_parts_of_a_form(apis: FakeApis) -> None:
    answer = Transport(QUICK).post(apis.crnn, Body(parts=[("imgs", b"one"), ("imgs", b"two")]))
    assert isinstance(answer, dict)
    assert len(answer["license-plates"]) == 2
    assert apis.headers[0]["Content-Type"].startswith("multipart/form-data")
    assert apis.bodies[0].index(b"one") < apis.bodies[0].index(b"two")


def test_a_dropped_connection_is_tried_once_more(apis: FakeApis) -> None:
    apis.drop = lambda _path, number: number == 0
    assert Transport(QUICK).post(apis.yolov3, JPEG)
    assert apis.requests["/yolov3"] == 2


def test_a_connection_that_drops_twice_is_an_error(apis: FakeApis) -> None:
    apis.drop = lambda _path, _number: True
    with pytest.raises(ApiUnreachableError, match="connection lost"):
        Transport(QUICK).post(apis.yolov3, JPEG)
    assert apis.requests["/yolov3"] == 2


@pytest.mark.parametrize("fallen", [Answer(500, b"Internal Server Error"), Answer(502, b"<html>Bad Gateway</html>")])
def test_a_server_that_fell_behind_its_proxy_is_asked_once_more(apis: FakeApis, fallen: Answer) -> None:
    apis.instead = lambda _path, number: fallen if number == 0 else None
    assert Transport(QUICK).post(apis.yolov3, JPEG)
    assert apis.requests["/yolov3"] == 2
    apis.instead = lambda _path, _number: fallen
    with pytest.raises(ApiRefusedError, match=f"answers {fallen.status}"):
        Transport(QUICK).ask(apis.yolov3, JPEG, again=False)
    assert apis.requests["/yolov3"] == 3


def test_an_api_that_says_what_went_wrong_is_not_asked_again(apis: FakeApis) -> None:
    apis.instead = lambda _path, _number: Answer(500, b'{"error": {"code": "internal", "message": "no memory"}}')
    with pytest.raises(ApiRefusedError, match="answers 500: no memory"):
        Transport(QUICK).post(apis.yolov3, JPEG)
    assert apis.requests["/yolov3"] == 1


def test_a_hanging_api_is_given_up_and_not_asked_again(apis: FakeApis) -> None:
    apis.hang = threading.Event()
    with pytest.raises(ApiTimeoutError, match="in time"):
        Transport(QUICK).post(apis.yolov3, JPEG)
    assert apis.requests["/yolov3"] == 1


def test_nobody_listens() -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with pytest.raises(ApiUnreachableError, match=f"127.0.0.1:{port}/yolov3: connection refused"):
        Transport(QUICK).post(f"http://127.0.0.1:{port}/yolov3", JPEG)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(503, b"{}", {"Retry-After": "2"}), ApiOverloadedError, "overloaded"),
        (Answer(429, b"{}", {"Retry-After": "2"}), ApiOverloadedError, "overloaded"),
        (Answer(500, b"oops"), ApiRefusedError, "answers 500"),
        (Answer(400, b'{"error": {"code": "x", "message": "not an image"}}'), ApiRefusedError, "400: not an image"),
        (Answer(401, b"{}"), ApiRefusedError, "API key"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), ApiRefusedError, "answers 302"),
        (Answer(200, b"<html>"), ApiGarbageError, "not JSON"),
        (Answer(200, b"\xff\xfe\xfd"), ApiGarbageError, "not JSON"),
        (Answer(200, b""), ApiGarbageError, "not JSON"),
        (Answer(200, b"[" * 100_000), ApiGarbageError, "not JSON"),
        (Answer(200, b" " * (5 * 2**20)), ApiGarbageError, "more than"),
    ],
)
def test_bad_answers_are_errors_of_one_line(
    apis: FakeApis, answer: Answer, error: type[ApiError], message: str
) -> None:
    apis.instead = lambda _path, _number: answer
    with pytest.raises(error, match=message) as caught:
        Transport(QUICK).post(apis.yolov3, JPEG)
    assert "\n" not in str(caught.value)
    if isinstance(caught.value, ApiOverloadedError):
        assert caught.value.retry_after_s == 2.0


def _drip(listener: socket.socket, chunk: bytes, stop: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while not stop.wait(0.1):
                connection.sendall(chunk)
        except OSError:
            pass


def test_an_answer_that_only_drips_is_given_up() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_drip, args=(listener, b" ", stop), daemon=True)
        thread.start()
        settings = PoolSettings(connect_timeout_s=0.2, read_timeout_s=0.5)
        with pytest.raises(ApiTimeoutError, match="finish"):
            Transport(settings).post(f"http://127.0.0.1:{listener.getsockname()[1]}/yolov3", JPEG)
        stop.set()
        thread.join(10)


def test_an_answer_that_breaks_off_is_tried_once_more() -> None:
    count = 0

    def serve(listener: socket.socket) -> None:
        nonlocal count
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                count += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(ApiUnreachableError, match="connection lost"):
            Transport(QUICK).post(f"http://127.0.0.1:{listener.getsockname()[1]}/yolov3", JPEG)
        thread.join(10)
    assert count == 2


def test_certificates_that_went_away_are_an_error_of_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/yolov3"
        with pytest.raises(ApiUnreachableError, match=r"none\.pem") as caught:
            Transport(QUICK, ca_file="/nowhere/none.pem").post(url, JPEG)
    assert "\n" not in str(caught.value)
