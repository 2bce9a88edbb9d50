"""A packed answer that unpacks to hundreds of megabytes, before the dashcam's transport."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import threading
from collections.abc import Iterator
from typing import Final

from edge_client.config import PoolSettings
from edge_client.errors import ApiGarbageError
from edge_client.requests.transport import Body, Transport
from tools.faults.bombs.memory import PeakMemory
from tools.faults.row import Row

_MUCH: Final = 256 * 2**20
_MOST_GROWTH_MB: Final = 10.0


def rows() -> Iterator[Row]:
    """The answer packed once and twice."""
    body = gzip.compress(bytes(_MUCH), 9, mtime=0)
    for name, encoding, packed in (
        ("answer of 256 MB by gzip, before the dashcam", b"gzip", body),
        ("the same, packed twice", b"gzip, gzip", gzip.compress(body, 9, mtime=0)),
    ):
        refused, growth_mb = _ask(encoding, packed)
        promised = f"taken for garbage, memory growth at most {_MOST_GROWTH_MB:g} MB"
        measured = f"{'refused' if refused else 'TAKEN'}, growth {growth_mb:.1f} MB"
        yield Row(name, promised, measured, refused and growth_mb <= _MOST_GROWTH_MB)


def _ask(encoding: bytes, packed: bytes) -> tuple[bool, float]:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(packed))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(head + packed)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        transport = Transport(PoolSettings(read_timeout_s=60.0))
        memory = PeakMemory(os.getpid())
        try:
            transport.post(f"http://127.0.0.1:{listener.getsockname()[1]}/yolov3", Body(data=b"x"))
        except ApiGarbageError:
            refused = True
        else:
            refused = False
        growth_mb = memory.growth_mb
        server.join()
    return refused, growth_mb
