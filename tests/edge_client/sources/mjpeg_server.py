"""A real MJPEG stream over HTTP on a loopback socket, as network cameras serve it, with their faults."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


@dataclass(frozen=True)
class Connection:
    """What one connection gives: so many pictures of a size, and then its end, or silence for ``stalls``.

    They come as fast as they are taken, or at a rate.
    """

    frames: int = 60
    size: tuple[int, int] = (128, 96)
    stalls: bool = False
    refused: bool = False
    rate_hz: float | None = None


class MjpegServer(ThreadingHTTPServer):
    """Serves the connections one after the other, the last one again and again."""

    daemon_threads = True

    def __init__(self, connections: Sequence[Connection]) -> None:
        self.connections = connections
        self.served = 0
        self.over = threading.Event()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def next_connection(self) -> Connection:
        with self._lock:
            self.served += 1
            return self.connections[min(self.served, len(self.connections)) - 1]

    def handle_error(self, *_args: object) -> None:
        """The client goes when it has seen enough."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/stream"


class _Handler(BaseHTTPRequestHandler):
    server: MjpegServer

    def do_GET(self) -> None:
        connection = self.server.next_connection()
        if connection.refused:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        width, height = connection.size
        picture = np.full((height, width, 3), 120, np.uint8)
        plate = picture[60:80, 100:160]  # where the tests' detector finds one: sharp enough to be read
        plate[:] = np.random.default_rng(1).integers(0, 2, (*plate.shape[:2], 1), dtype=np.uint8) * 200
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
        for _ in range(connection.frames):
            self.wfile.write(part)
            if connection.rate_hz is not None:
                self.server.over.wait(1 / connection.rate_hz)
        if connection.stalls:
            self.wfile.write(b"--frame\r\n")
            self.server.over.wait(60)

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def mjpeg_server(*connections: Connection) -> Iterator[MjpegServer]:
    server = MjpegServer(connections)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
