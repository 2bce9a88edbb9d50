"""The page over real sockets: routes, headers, access, streams, and bad visitors."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests

from edge_client.config import WebSettings
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.server import WebPage
from edge_client.errors import ConfigError
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.samples import picture, read, shown

KEY = "correct horse battery"
SETTINGS = WebSettings(max_rate_hz=200.0)


@pytest.fixture
def board() -> LiveBoard:
    board = LiveBoard(source="drive.avi", limit=3)
    board.set_status(STATUS, "on: 9 frames in out.mp4")
    return board


@pytest.fixture
def page(board: LiveBoard) -> Iterator[WebPage]:
    with closing(WebPage("127.0.0.1", 0, SETTINGS, board)) as page:
        yield page


@pytest.fixture
def keyed(board: LiveBoard) -> Iterator[WebPage]:
    with closing(WebPage("0.0.0.0", 0, SETTINGS, board, key=KEY)) as page:
        yield page


def get(page: WebPage, path: str, **kwargs: object) -> requests.Response:
    port = page.url.rsplit(":", 1)[1].rstrip("/")
    return requests.get(f"http://127.0.0.1:{port}{path}", timeout=30, allow_redirects=False, **kwargs)  # type: ignore[arg-type]


def raw(page: WebPage, request: bytes) -> bytes:
    """What comes back for bytes that need not be HTTP."""
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        return answer


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css"), ("/icon.svg", "image/svg")],
)
def test_everything_comes_from_here_with_careful_headers(page: WebPage, path: str, kind: str) -> None:
    answer = get(page, path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Python" not in answer.headers["Server"]
    if kind == "text/html":
        assert "http://" not in answer.text
        assert "https://" not in answer.text
        assert "<script>" not in answer.text
        assert "style=" not in answer.text


@pytest.mark.parametrize(
    "path", ["/none", "/../setup.cfg", "/static/page.js", "/crops/none.jpg", "/crops/../x.jpg", "/%2e%2e/"]
)
def test_unknown_paths(page: WebPage, path: str) -> None:
    assert get(page, path).status_code == 404


def test_head_has_no_body(page: WebPage) -> None:
    answer = raw(page, b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


def test_the_state_and_only_the_changed_reads(page: WebPage, board: LiveBoard) -> None:
    board.add(read("a", place=(45.75, 21.22)))
    first = get(page, "/api/live").json()
    assert first["status"]["summary"]["captured"] == 10
    assert first["status"]["apis"]["crnn"].startswith("down")
    assert first["status"]["video"].startswith("on")
    assert [r["uid"] for r in first["reads"]] == ["a"]
    assert first["reads"][0]["latitude"] == 45.75
    crop = get(page, first["reads"][0]["crop"])
    assert crop.headers["Content-Type"] == "image/jpeg"
    assert crop.content == read("a").crop_jpeg

    board.add(read("b"))
    board.add(read("c", supersedes=("a",)))
    known = f"/api/live?session={first['session']}&after={first['revision']}"
    second = get(page, known).json()
    assert [r["uid"] for r in second["reads"]] == ["b", "c"]
    assert second["removed"] == ["a"]
    assert get(page, f"/api/live?session={first['session']}&after={second['revision']}").json()["reads"] == []
    other = get(page, f"/api/live?session=before&after={second['revision']}").json()
    assert [r["uid"] for r in other["reads"]] == ["b", "c"]


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=9999999999999999999999", "after=", "session=%00&after=%31"]
)
def test_odd_queries(page: WebPage, query: str) -> None:
    assert get(page, f"/api/live?{query}").status_code == 200


def test_the_board_is_bounded(board: LiveBoard) -> None:
    for n in range(20):
        board.add(read(f"r{n}"))
    live = board.to_json("", 0)
    assert isinstance(live["reads"], list)
    assert [r["uid"] for r in live["reads"]] == ["r17", "r18", "r19"]
    assert board.crop("r0") is None


def parts(answer: requests.Response, count: int) -> list[bytes]:
    """The first pictures of a stream."""
    stream = answer.raw
    found: list[bytes] = []
    assert stream.readline() == b"--frame\r\n"
    while len(found) < count:
        headers = dict(line.split(b": ") for line in iter(lambda: stream.readline().strip(), b""))
        found.append(stream.read(int(headers[b"Content-Length"])))
        assert stream.readline() == b"\r\n"
        assert stream.readline() == b"--frame\r\n"
    return found


def test_the_stream_moves(page: WebPage) -> None:
    ended = threading.Event()

    def feed() -> None:
        number = 0
        while not ended.wait(0.01):
            page.show(shown(number), picture(value=number % 250))
            number += 1

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        with get(page, "/stream.mjpg", stream=True) as one, get(page, "/stream.mjpg", stream=True) as two:
            assert one.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
            for answer in (one, two):
                pictures = parts(answer, 5)
                assert all(p.startswith(b"\xff\xd8") and p.endswith(b"\xff\xd9") for p in pictures)
                assert len(set(pictures)) > 1
    finally:
        ended.set()
        feeder.join()


def test_a_viewer_who_does_not_take_anything_holds_up_nobody(page: WebPage) -> None:
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    with socket.create_connection(("127.0.0.1", port)) as lazy:
        lazy.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for number in range(300):
            page.show(shown(number), picture(640, 480, value=number % 250))
        assert get(page, "/api/live").status_code == 200


def test_closing_ends_streams_and_frees_the_port(board: LiveBoard) -> None:
    page = WebPage("127.0.0.1", 0, SETTINGS, board)
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    page.show(shown(), picture())
    with get(page, "/stream.mjpg", stream=True) as answer:
        parts(answer, 1)
        page.close()
        page.close()
        assert answer.raw.read(1000) is not None  # it ends
    again = WebPage("127.0.0.1", port, SETTINGS, board)
    assert get(again, "/").status_code == 200
    again.close()


def test_closing_hangs_up_on_those_who_keep_their_connection(board: LiveBoard) -> None:
    page = WebPage("127.0.0.1", 0, SETTINGS, board)
    session = requests.Session()
    assert session.get(f"{page.url}api/live", timeout=30).status_code == 200
    page.close()
    with pytest.raises(requests.ConnectionError):
        session.get(f"{page.url}api/live", timeout=30)


def test_other_hosts_need_a_key(board: LiveBoard) -> None:
    with pytest.raises(ConfigError, match="DASHCAM_WEB_KEY"):
        WebPage("0.0.0.0", 0, SETTINGS, board)


def test_a_taken_port(board: LiveBoard, page: WebPage) -> None:
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    with pytest.raises(ConfigError, match="the port is taken"):
        WebPage("127.0.0.1", port, SETTINGS, board)
    with closing(WebPage("127.0.0.1", port, SETTINGS, board, another_port=True)) as other:
        assert other.port_was_taken
        assert other.url != page.url
        assert get(other, "/").status_code == 200


def test_an_address_of_another_machine(board: LiveBoard) -> None:
    with pytest.raises(ConfigError, match="address of this machine"):
        WebPage("192.0.2.1", 8081, SETTINGS, board, key=KEY)


def test_a_foreign_page_cannot_reach_a_page_without_key(page: WebPage) -> None:
    assert get(page, "/api/live", headers={"Host": "evil.example"}).status_code == 403
    assert b" 403 " in raw(page, b"GET / HTTP/1.0\r\n\r\n").splitlines()[0]


def test_nothing_is_shown_without_the_key(keyed: WebPage, board: LiveBoard) -> None:
    board.add(read("a"))
    for path in ("/", "/api/live", "/stream.mjpg", "/crops/a.jpg", "/none"):
        answer = get(keyed, path)
        assert answer.status_code == 401
        assert "drive.avi" not in answer.text
    assert "Key of this page" in get(keyed, "/").text


@pytest.mark.parametrize("form", [True, False])
def test_the_key_opens_the_page_and_is_nowhere_to_be_seen(
    keyed: WebPage, form: bool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    port = keyed.url.rsplit(":", 1)[1].rstrip("/")
    base = f"http://127.0.0.1:{port}"
    session = requests.Session()
    with caplog.at_level(logging.DEBUG):
        if form:
            answer = session.post(f"{base}/login", data={"key": KEY}, timeout=30, allow_redirects=False)
        else:
            answer = session.get(f"{base}/", params={"key": KEY}, timeout=30, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite" in answer.headers["Set-Cookie"]
    assert session.get(f"{base}/api/live", timeout=30).json()["source"] == "drive.avi"
    told = "".join(record.getMessage() for record in caplog.records if record.name.startswith("edge_client"))
    assert KEY not in told + "".join(capfd.readouterr()) + str(answer.headers)


def test_wrong_keys(keyed: WebPage) -> None:
    port = keyed.url.rsplit(":", 1)[1].rstrip("/")
    statuses = [
        requests.post(f"http://127.0.0.1:{port}/login", data={"key": f"guess {n}"}, timeout=30).status_code
        for n in range(11)
    ]
    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nkey=x\r\n0\r\n\r\n",
        b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_bad_visitors_are_told_so(page: WebPage, request_bytes: bytes) -> None:
    try:
        answer = raw(page, request_bytes)
    except ConnectionError:
        answer = b""  # turned away before all was sent
    assert not answer or b" 4" in answer.splitlines()[0] or b" 5" in answer.splitlines()[0] or b"Error" in answer
    assert get(page, "/api/live").status_code == 200


def test_json_of_the_state_is_plain_json(board: LiveBoard) -> None:
    assert json.loads(json.dumps(board.to_json("", 0), allow_nan=False))["source"] == "drive.avi"
