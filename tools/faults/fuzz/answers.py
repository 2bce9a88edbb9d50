"""Spoiled answers of the prediction APIs, as the dashcam gets them over a real connection.

A case is all that the server sends, status line and headers included. What is no answer by the contract has to become
one of the device's own errors; what is taken has to be finite numbers.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import random
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cloud_apis.contract import PlateBox, Word, crnn_answer, error_body, yolov3_answer
from edge_client.config import PoolSettings
from edge_client.counters import Counters
from edge_client.errors import ApiError
from edge_client.requests.apis import APIS, PlateApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.transport import Transport
from tools.faults.fuzz.format import Feed, Format
from tools.faults.fuzz.jsons import spoiled_json
from tools.faults.fuzz.mutate import BYTES, Mutation
from tools.faults.listening import Listening

_QUAD: Final = ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0))
_CROPS: Final = (b"\xff\xd8 one", b"\xff\xd8 two")
_STATUSES: Final = (
    b"200 OK",
    b"200",
    b"201 Made",
    b"204 None",
    b"301 There",
    b"307 There",
    b"400 No",
    b"401 Key",
    b"403 No",
    b"404 No",
    b"418 Tea",
    b"429 Slow",
    b"500 Oops",
    b"502 Gate",
    b"503 Busy",
    b"999 X",
    b"0 X",
    b"-1 X",
    b"abc",
)
_HEADERS: Final = (
    b"Retry-After: 1",
    b"Retry-After: -1",
    b"Retry-After: 1e9",
    b"Retry-After: " + b"9" * 400,
    "Retry-After: ²".encode("latin-1"),
    b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
    b"Server-Timing: app;dur=nan",
    b"Server-Timing: app;dur=-5",
    b"Server-Timing: app;dur=1e400",
    b"Server-Timing: app;dur",
    b"Server-Timing: dur=3;;,=",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Content-Encoding: deflate",
    b"Content-Encoding: zstd",
    b"Content-Encoding: x, gzip, gzip",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 0",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 1, 2",
    b"Content-Length: x",
    b"Location: file:///etc/passwd",
    b"Location: http://127.0.0.1:1/",
    b"Connection: close",
    b"Set-Cookie: a=b; Domain=.",
    b"X: " + b"y" * 70_000,
    b": x",
    b"\xff\xfe: \x00",
    b" folded",
    b"Content-Type: text/html; charset=utf-7",
)


def _answer(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def intact() -> Sequence[bytes]:
    """Right answers of both APIs, an error, and one in chunks."""
    boxes = yolov3_answer([PlateBox(10.5, 20.25, 60, 35, 0.97, (0.99,)), PlateBox(0, 0, 8, 4, 0.5, (0.1, 0.9))])
    word = Word("AB12CDE", _QUAD, (0.97,) * 7, 0.9)
    found, read = json.dumps(boxes).encode(), json.dumps(crnn_answer([[word, word], []])).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(read[at : at + 50]), read[at : at + 50]) for at in range(0, len(read), 50))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Api: license-plates\r\n\r\n"
    return [
        _answer(found, b"200 OK", b"Server-Timing: app;dur=12.5"),
        _answer(read),
        _answer(gzip.compress(found, mtime=0), b"200 OK", b"Content-Encoding: gzip"),
        _answer(json.dumps(error_body("busy", "the queue is full")).encode(), b"503 Busy", b"Retry-After: 2"),
        _answer(json.dumps(error_body("not_an_image", "no")).encode(), b"400 Bad"),
        head + chunks + b"0\r\n\r\n",
    ]


def _parts(answer: bytes) -> tuple[bytes, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def _with_length(head: bytes, body: bytes) -> bytes:
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body


def _in_json(random_: random.Random, answer: bytes) -> bytes:
    """The document says something else, and the stated length is right."""
    head, body = _parts(answer)
    return _with_length(head, spoiled_json(random_, body))


def _in_body(random_: random.Random, answer: bytes) -> bytes:
    """Bytes of the body are others, and the stated length is right."""
    head, body = _parts(answer)
    return _with_length(head, random_.choice(BYTES)(random_, body))


def _other_status(random_: random.Random, answer: bytes) -> bytes:
    head, newline, rest = answer.partition(b"\r\n")
    del head
    return random_.choice((b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/9 ", b"")) + random_.choice(_STATUSES) + newline + rest


def _more_headers(random_: random.Random, answer: bytes) -> bytes:
    head, newline, rest = answer.partition(b"\r\n")
    many = random_.choice((1, 1, 2, 150))
    return head + newline + b"".join(random_.choice(_HEADERS) + newline for _ in range(many)) + rest


def _numbers(random_: random.Random, answer: bytes) -> bytes:
    """A number of the body is of another kind."""
    head, body = _parts(answer)
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", body))
    if not found:
        return answer
    at = random_.choice(found)
    value = random_.choice(
        (b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 5000, b"1e308", b"0x1", b"01", b'"1"', b"true")
    )
    return _with_length(head, body[: at.start()] + value + body[at.end() :])


_STRUCTURE: Final[tuple[Mutation, ...]] = (_in_json, _in_json, _in_body, _other_status, _more_headers, _numbers)


class _Server(Listening):
    """Sends the present case to whoever asks, then closes."""

    case = b""

    def answer(self, connection: socket.socket) -> None:
        """As `Listening` has it."""
        _take_request(connection)
        connection.sendall(self.case)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # until the client has closed, so that nothing is reset
            pass


def _take_request(connection: socket.socket) -> None:
    taken = b""
    while b"\r\n\r\n" not in taken and (more := connection.recv(65536)):
        taken += more
    head, _, body = taken.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    missing = int(length.group(1)) - len(body) if length else 0
    while missing > 0 and (more := connection.recv(65536)):
        missing -= len(more)


def _take(apis: PlateApis, server: _Server, case: bytes) -> str:
    server.case = case
    try:
        if b"license-plates" in case:
            words = [word for crop in apis.read(_CROPS) for word in crop]
            numbers = [n for word in words for n in (*word.confidences, *(c for point in word.quad for c in point))]
        else:
            boxes = apis.detect(b"\xff\xd8 picture")
            numbers = [n for box in boxes for n in (box.xmin, box.ymin, box.xmax, box.ymax, box.score)]
    except ApiError as error:
        if "\n" in str(error) or len(str(error)) > 500:
            raise AssertionError("the message is no line for people") from error
        return type(error).__name__
    if not all(map(math.isfinite, numbers)):
        raise AssertionError("a number that is not finite was taken")
    return "taken"


@contextlib.contextmanager
def _reader(_: Path) -> Iterator[Feed]:
    settings = PoolSettings(failures_to_pause=10**9, read_timeout_s=2.0, retry_jitter_s=1e-6, outage_wait_s=0.0)
    server = _Server()
    url = f"http://127.0.0.1:{server.port}"
    try:
        apis = PlateApis(FixedEndpoints(url, url), Transport(settings), settings, Counters(APIS), patient=False)
        yield lambda case: _take(apis, server, case)
    finally:
        server.close()


FORMAT: Final = Format("answers", "answers of the APIs to the dashcam", intact, (*BYTES, *_STRUCTURE * 2), _reader)
