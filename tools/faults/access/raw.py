"""Requests as bytes: paths and headers that no well-behaved client would send."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

_PATIENCE_S = 30.0


def ask(url: str, request: bytes, patience_s: float = _PATIENCE_S) -> bytes:
    """All that comes back until the server closes, which the request has to ask for, or is silent for so long."""
    address = urlsplit(url)
    answer = b""
    where = (address.hostname, address.port)
    with socket.create_connection(where, timeout=patience_s) as connection, contextlib.suppress(OSError):
        connection.sendall(request)
        while piece := connection.recv(65536):
            answer += piece
    return answer


def get(
    url: str, target: str, *headers: str, method: str = "GET", body: bytes = b"", patience_s: float = _PATIENCE_S
) -> bytes:
    """The whole answer to a request for that target, as it is written."""
    lines = [f"{method} {target} HTTP/1.1", "Connection: close", *headers]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.append("Host: localhost")
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return ask(url, "\r\n".join([*lines, "", ""]).encode("latin-1") + body, patience_s)


def status(answer: bytes) -> int:
    """The status of an answer, 0 where there was none."""
    words = answer[:20].split(b" ")
    return int(words[1]) if answer.startswith(b"HTTP/") and len(words) > 1 and words[1].isdigit() else 0
