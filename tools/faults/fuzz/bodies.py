"""Spoiled request bodies before the whole application: an answer with the right form and no status above 499.

A case is a line with the path and the content type, then the body.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from starlette.types import ASGIApp

from cloud_apis.names import Api
from cloud_apis.settings import ApiSettings, load_settings
from cloud_apis.web.app import create_app
from tools.faults.fuzz.format import Feed, Format
from tools.faults.fuzz.jsons import spoiled_json
from tools.faults.fuzz.mutate import BYTES, Mutation, mutated, place
from tools.faults.fuzz.samples import drawn, encoded

_BOUNDARY: Final = "fuzz--x"
_FORM: Final = f"multipart/form-data; boundary={_BOUNDARY}"
_PATHS: Final = ("/yolov3", "/crnn", "/colors")
_TYPES: Final = (
    "application/json",
    "application/json; charset=utf-16",
    "image/jpeg",
    "image/png",
    "image/webp",
    _FORM,
    "",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 500,
    'multipart/form-data; boundary="a\\"b"',
    "multipart/form-data; boundary=fuzz--x; boundary=y",
    "text/plain",
    "application/x-pickle",
    "multipart/form-data; boundary*=utf-8''x",
    "\x00",
    "multipart/form-data;;;=;",
)
_HEADERS: Final = (
    b'Content-Disposition: form-data; name="imgs"',
    b"Content-Disposition: form-data; name*=utf-8''imgs",
    b'Content-Disposition: form-data; name="imgs"; filename="../../x"',
    b"Content-Disposition: attachment",
    b"Content-Disposition:",
    b"X: " + b"y" * 5000,
    b"Content-Transfer-Encoding: base64",
    b": x",
    b"a",
    b"Content-Length: 9",
    b'Content-Disposition: form-data; name="im\\"gs"',
    b"Content-Type: multipart/mixed; boundary=q",
    b"\xff: \xfe",
)


def _case(path: str, kind: str, body: bytes) -> bytes:
    return f"{path}\t{kind}\n".encode("latin-1") + body


def split(case: bytes) -> tuple[str, str, bytes]:
    """Path, content type and body of a case."""
    head, _, body = case.partition(b"\n")
    path, _, kind = head.decode("latin-1").partition("\t")
    return path, kind, body


def form(name: str, parts: Sequence[bytes]) -> bytes:
    """The body of a form with the boundary of this module."""
    mark = f"--{_BOUNDARY}"
    head = f'{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n'.encode()
    head += b"Content-Type: image/jpeg\r\n\r\n"
    return b"".join(head + part + b"\r\n" for part in parts) + f"{mark}--\r\n".encode()


def intact() -> Sequence[bytes]:
    """Requests without a flaw; half of them hold no picture, so that not all time goes into models."""
    jpeg = encoded(drawn(48, 32).convert("L"), "JPEG", quality=40)
    text = base64.b64encode(jpeg).decode()
    junk = base64.b64encode(b"no picture").decode()
    return [
        _case("/yolov3", "application/json", json.dumps({"img": text}).encode()),
        _case("/yolov3", "application/json", json.dumps({"img": junk}).encode()),
        _case("/crnn", "application/json", json.dumps({"imgs": [text, text]}).encode()),
        _case("/crnn", "application/json", json.dumps({"imgs": [junk] * 3}).encode()),
        _case("/crnn", _FORM, form("imgs", [jpeg, jpeg])),
        _case("/crnn", _FORM, form("imgs", [b"no picture"] * 4)),
        _case("/crnn", _FORM, form("imgs", [])),
        _case("/colors", _FORM, form("image", [b"no picture"])),
        _case("/colors", "image/jpeg", jpeg),
    ]


def _in_body(mutation: Mutation) -> Mutation:
    def spoil(random_: random.Random, case: bytes) -> bytes:
        head, newline, body = case.partition(b"\n")
        return head + newline + mutation(random_, body)

    return spoil


def _other_head(random_: random.Random, case: bytes) -> bytes:
    path, kind, body = split(case)
    if random_.random() < 0.5:
        kind = random_.choice(_TYPES)
    elif random_.random() < 0.5:
        kind = mutated(random_, kind.encode("latin-1"), BYTES, 1).decode("latin-1").replace("\n", "")
    else:
        path = random_.choice(_PATHS)
    return _case(path, kind, body)


def _form_structure(random_: random.Random, body: bytes) -> bytes:
    """Parts and their headers are missing, many, or strange."""
    mark = f"--{_BOUNDARY}".encode()
    parts = body.split(mark)
    if len(parts) < 3:
        return body
    at = random_.randrange(1, len(parts))
    match random_.randrange(6):
        case 0:
            del parts[at]
        case 1:
            parts[at:at] = [parts[at]] * random_.choice((1, 10, 70))
        case 2:
            parts[at] = b"\r\n" + random_.choice(_HEADERS) + parts[at]
        case 3:
            parts[at] = b"\r\n" + b"\r\n".join(random_.choices(_HEADERS, k=5)) + b"\r\n\r\nx\r\n"
        case 4:
            parts[at] = parts[at].replace(b"\r\n", random_.choice((b"\n", b"\r", b"")), 1)
        case _:
            parts[at] = b"--" + parts[at]
    return mark.join(parts)


def _nested(random_: random.Random, body: bytes) -> bytes:
    """A whole other body within."""
    at = place(random_, body)
    return body[:at] + form("imgs", [b"x"]) + body[at:]


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_in_body(mutation) for mutation in BYTES),
    *(_in_body(mutation) for mutation in (spoiled_json, _form_structure, _nested)),
    *(_in_body(mutation) for mutation in (spoiled_json, _form_structure)),
    _other_head,
)


def small_settings() -> ApiSettings:
    """The shipped settings with a small network's input, so that cases that are taken cost little."""
    settings = load_settings()
    return settings.model_copy(update={"yolov3": settings.yolov3.model_copy(update={"net_h": 96, "net_w": 96})})


def ask(loop: asyncio.AbstractEventLoop, app: ASGIApp, case: bytes) -> str:
    """One request to the application, its body in pieces; the status of a right answer, or AssertionError."""
    path, kind, body = split(case)
    step = max(1, len(body) // 3)
    pieces = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
    queue = [{"type": "http.request", "body": p, "more_body": i < len(pieces) - 1} for i, p in enumerate(pieces)]
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        return queue.pop(0) if queue else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": b"",
        "scheme": "http",
        "server": ("x", 80),
        "root_path": "",
        "headers": [(b"content-type", kind.encode("latin-1")), (b"content-length", str(len(body)).encode())],
    }
    loop.run_until_complete(app(scope, receive, send))
    status: int = sent[0]["status"]
    answer = json.loads(b"".join(message.get("body", b"") for message in sent[1:]))
    if status != 200 and (answer.keys() != {"error"} or answer["error"].keys() != {"code", "message"}):
        raise AssertionError(f"status {status} with {answer}")
    if status >= 500 or status not in (200, 400, 404, 405, 413, 415, 422):
        raise AssertionError(f"status {status}: {answer['error']}")
    return "taken" if status == 200 else str(status)


@contextlib.contextmanager
def _reader(_: Path) -> Iterator[Feed]:
    app = create_app(small_settings(), apis=(Api.YOLOV3, Api.CRNN, Api.COLOURS))
    with asyncio.Runner() as runner:
        yield lambda case: ask(runner.get_loop(), app, case)


FORMAT: Final = Format("bodies", "JSON and multipart bodies of requests", intact, _MUTATIONS, _reader)
