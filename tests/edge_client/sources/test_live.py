"""A real MJPEG stream over HTTP on a loopback socket, as network cameras serve it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import cv2
import numpy as np
import pytest

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.open import open_source

SETTINGS = SourceSettings(open_timeout_s=10.0, read_timeout_s=10.0, reconnect_s=0.5)


@contextmanager
def camera(frames_per_connection: int, connections: int = 1000) -> Iterator[str]:
    """A camera whose connection breaks after some frames, and which is gone after some connections."""
    jpeg = cv2.imencode(".jpg", np.full((96, 128, 3), 120, np.uint8))[1].tobytes()
    part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
    served = 0
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal served
            with lock:
                served += 1
                gone = served > connections
            if gone:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for _ in range(frames_per_connection):
                self.wfile.write(part)

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass  # the client goes when it has seen enough

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/stream"
    finally:
        server.shutdown()
        server.server_close()


def test_a_stream_is_live_and_is_opened_again_when_it_breaks() -> None:
    with camera(frames_per_connection=60) as url:
        source = open_source(url, SETTINGS)
        assert source.live
        assert source.frame_count is None
        assert source.frame_rate_hz > 0
        images = list(islice(source, 150))
        source.close()
    assert len(images) == 150
    assert all(image.shape == (96, 128, 3) for image in images)


def test_a_stream_that_stays_lost_is_an_error() -> None:
    with camera(frames_per_connection=60, connections=1) as url:
        source = open_source(url, SETTINGS)
        with pytest.raises(SourceError, match=r"lost .* could not open it again"):
            list(source)
        source.close()


def test_closing_ends_the_wait_for_a_lost_stream() -> None:
    with camera(frames_per_connection=60, connections=1) as url:
        source = open_source(url, SETTINGS.model_copy(update={"reconnect_s": 600.0}))
        ended = threading.Event()

        def read() -> None:
            list(source)
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        source.close()
        assert ended.wait(60)
