"""A real HTTP server on a loopback socket that answers as the prediction APIs do, or as badly as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cloud_apis.contract import CRNN_PATH, YOLOV3_PATH, PlateBox, Word, crnn_answer, yolov3_answer
from cloud_apis.contract.vehicles import REPORT_PATH, report_answer

BOX = PlateBox(100.0, 60.0, 160.0, 80.0, 0.95, (0.98,))
QUAD = ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0))


def one_box(_body: bytes) -> dict[str, object]:
    return yolov3_answer([BOX])


def one_word(text: str = "AB12CDE", confidence: float = 0.95) -> Callable[[int], dict[str, object]]:
    return lambda crops: crnn_answer([[Word(text, QUAD, (confidence,) * len(text))]] * crops)


def no_vehicle(_body: bytes) -> dict[str, object]:
    return report_answer([], [], lambda _make, _model: None, 1)


@dataclass
class Answer:
    """An answer as it goes over the wire."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeApis:
    """How the server behaves; tests change it while it runs."""

    boxes: Callable[[bytes], dict[str, object]] = one_box
    words: Callable[[int], dict[str, object]] = field(default_factory=one_word)
    text_of: Callable[[bytes], str] | None = None  # what stands on a crop (JPEG); instead of `words`
    latency_s: float = 0.0
    instead: Callable[[str, int], Answer | None] = lambda _path, _number: None  # (path, number of the request)
    report: Callable[[bytes], dict[str, object]] | None = no_vehicle  # None: it is not offered
    drop: Callable[[str, int], bool] = lambda _path, _number: False  # close the connection without an answer
    hang: threading.Event | None = None  # answers wait until it is set
    url: str = ""
    requests: dict[str, int] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def yolov3(self) -> str:
        return self.url + YOLOV3_PATH

    @property
    def crnn(self) -> str:
        return self.url + CRNN_PATH


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    behaviour: FakeApis

    def do_POST(self) -> None:
        b = self.behaviour
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with b.lock:
            number = b.requests.get(self.path, 0)
            b.requests[self.path] = number + 1
            b.headers.append(dict(self.headers))
            b.bodies.append(body)
            b.at_once += 1
            b.most_at_once = max(b.most_at_once, b.at_once)
        try:
            self._answer(body, number)
        finally:
            with b.lock:
                b.at_once -= 1

    def do_GET(self) -> None:
        """Health: well, unless told otherwise."""
        b = self.behaviour
        with b.lock:
            number = b.requests.get(self.path, 0)
            b.requests[self.path] = number + 1
        answer = b.instead(self.path, number) or Answer()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _answer(self, body: bytes, number: int) -> None:
        b = self.behaviour
        if b.hang is not None:
            b.hang.wait(60)
        if b.latency_s:
            b.released.wait(b.latency_s)
        if b.drop(self.path, number):
            self.close_connection = True
            self.connection.close()
            return
        answer = b.instead(self.path, number)
        if answer is None and self.path.startswith(REPORT_PATH) and b.report is None:
            answer = Answer(404, b'{"error": {"code": "not_found", "message": "no such page"}}')
        if answer is None and self.path.startswith(REPORT_PATH) and b.report is not None:
            answer = Answer(200, json.dumps(b.report(body)).encode(), {"Content-Type": "application/json"})
        if answer is None:
            found = b.boxes(body) if self.path == YOLOV3_PATH else self._words(body)
            answer = Answer(200, json.dumps(found).encode(), {"Content-Type": "application/json"})
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _words(self, body: bytes) -> dict[str, object]:
        if self.behaviour.text_of is None:
            return self.behaviour.words(body.count(b'name="imgs"'))
        parts = body.split(body.split(b"\r\n", 1)[0])[1:-1]
        texts = [self.behaviour.text_of(part.split(b"\r\n\r\n", 1)[1]) for part in parts]
        return crnn_answer([[Word(text, QUAD, (0.95,) * len(text))] for text in texts])

    def log_message(self, *_args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_args: Any) -> None:
        pass  # clients that go away in the middle are part of the tests


@contextmanager
def fake_apis(behaviour: FakeApis | None = None) -> Iterator[FakeApis]:
    """Serve on a free port until the end of the block."""
    behaviour = behaviour or FakeApis()
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = _Server(("127.0.0.1", 0), handler)
    behaviour.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield behaviour
    finally:
        behaviour.released.set()
        if behaviour.hang is not None:
            behaviour.hang.set()
        server.shutdown()
        server.server_close()
