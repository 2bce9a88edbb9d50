"""Pictures for the tests, and a real HTTP server that offers them, or something worse."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image


def picture(width: int = 320, height: int = 200, form: str = "JPEG", orientation: int | None = None) -> bytes:
    """An encoded picture, darker towards the left."""
    ramp = np.broadcast_to(np.linspace(30, 220, width)[None, :, None], (height, width, 3)).astype(np.uint8)
    out = io.BytesIO()
    image = Image.fromarray(ramp)
    if orientation is None:
        image.save(out, form)
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(out, form, exif=exif)
    return out.getvalue()


Reply = Callable[[BaseHTTPRequestHandler], None]


def reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A plain answer."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


@contextmanager
def web_server(replies: Mapping[str, Reply]) -> Iterator[str]:
    """Serves GET by path on a free port; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            replies.get(self.path, reply(b"nothing here", 404))(self)

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
