"""Answers one visitor of the page. Nothing on the page comes from elsewhere.

All is read only but `POST /api/lock`, which keeps the recorded segment: `{"locked": true}`, or 409 when nothing is
recorded. It is refused (403) unless the browser says that the page itself asks (`Origin`, RFC 6454; without one
`Sec-Fetch-Site`), so that no foreign page can press the button with the owner's cookie.
"""

from __future__ import annotations

import json
import logging
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib import resources
from urllib.parse import parse_qs, urlsplit

from edge_client.displays.web.access import Gate, is_same_origin
from edge_client.displays.web.archive import EXPORTS, Archive, BadFilterError, download_name
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.stream import BOUNDARY, PictureStream, part
from edge_client.errors import StoreError

_LOG = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_STATIC = {
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/list.css": ("list.css", "text/css; charset=utf-8"),
    "/shared.js": ("shared.js", "text/javascript; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/map.js": ("map.js", "text/javascript; charset=utf-8"),
    "/list.js": ("list.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/manifest.json": ("manifest.json", "application/manifest+json"),
}
_MAX_FORM_BYTES = 4096
_SEND_BUFFER_BYTES = 64 * 1024


class PageHandler(BaseHTTPRequestHandler):
    """One connection. What it works with is set by a subclass made for each server."""

    gate: Gate
    board: LiveBoard
    stream: PictureStream
    archive: Archive | None
    on_lock: staticmethod[[], bool] | None

    protocol_version = "HTTP/1.1"
    server_version = "dashcam"
    sys_version = ""
    timeout = 15.0  # seconds that a visitor may stay silent, or not take what is sent

    def do_GET(self) -> None:
        """Pages, pictures and `/api/live`."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if not self.gate.host_allowed(self.headers.get("Host")):
            self._send_text(HTTPStatus.FORBIDDEN, "The page is only for this machine: open http://localhost")
        elif url.path in _STATIC:
            self._send_static(*_STATIC[url.path])
        elif "key" in query and self.gate.has_key:
            self._log_in(query["key"][0])
        elif not self.gate.session_fits(self.headers.get("Cookie")):
            if url.path == "/":
                self._send_static("login.html", "text/html; charset=utf-8", HTTPStatus.UNAUTHORIZED)
            else:
                self._send_text(HTTPStatus.UNAUTHORIZED, "The key is missing: open the page and enter it")
        elif url.path == "/":
            self._send_static("index.html", "text/html; charset=utf-8")
        elif url.path == "/stream.mjpg":
            self._send_stream()
        elif url.path == "/api/live":
            self._send_live(query)
        elif url.path.startswith("/crops/") and url.path.endswith(".jpg"):
            crop = self.board.crop(url.path.removeprefix("/crops/").removesuffix(".jpg"))
            self._send_crop(crop)
        elif self.archive is not None:
            self._send_from(self.archive, url.path, {name: values[0] for name, values in query.items()})
        else:
            self._send_text(HTTPStatus.NOT_FOUND, "There is no such page")

    def do_HEAD(self) -> None:
        """As GET, without the body."""
        self.do_GET()

    def do_POST(self) -> None:
        """`/login` with the form field `key`, and `/api/lock` without a body."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal() or int(length) > _MAX_FORM_BYTES:
            self.close_connection = True
            self._send_text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too much, or of no stated length")
            return
        body = self.rfile.read(int(length))
        if not self.gate.host_allowed(self.headers.get("Host")):
            self._send_text(HTTPStatus.FORBIDDEN, "The page is only for this machine: open http://localhost")
        elif self.path == "/api/lock":
            self._lock()
        elif self.path != "/login":
            self._send_text(HTTPStatus.NOT_FOUND, "There is no such page")
        else:
            fields = parse_qs(body.decode("utf-8", "replace"))
            self._log_in(fields.get("key", [""])[0])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class named it
        """Says nothing: request lines may hold the key."""

    def _log_in(self, tried: str) -> None:
        fits = self.gate.key_fits(tried)
        if fits is None:
            self._send_text(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong keys: wait a minute")
        elif fits:
            # Elsewhere at once, so that the key does not stay in the address bar.
            self._begin(HTTPStatus.SEE_OTHER, "text/plain", 0, {"Location": "/", "Set-Cookie": self.gate.cookie()})
        else:
            _LOG.warning("a visitor of the web page gave a wrong key")
            page = _read_static("login.html").replace(b'<p id="wrong" hidden>', b'<p id="wrong">')
            self._send(HTTPStatus.UNAUTHORIZED, "text/html; charset=utf-8", page)

    def _lock(self) -> None:
        headers = self.headers
        if not self.gate.session_fits(headers.get("Cookie")):
            self._send_json({"error": "the key is missing"}, HTTPStatus.UNAUTHORIZED)
        elif not is_same_origin(headers.get("Origin"), headers.get("Sec-Fetch-Site"), headers.get("Host")):
            self._send_json({"error": "only the page itself may ask for that"}, HTTPStatus.FORBIDDEN)
        elif self.on_lock is None or not self.on_lock():
            self._send_json({"error": "nothing is recorded"}, HTTPStatus.CONFLICT)
        else:
            self._send_json({"locked": True})

    def _send_live(self, query: dict[str, list[str]]) -> None:
        after = query.get("after", ["0"])[0]
        revision = int(after) if after.isascii() and after.isdecimal() and len(after) < 16 else 0
        self._send_json(self.board.to_json(query.get("session", [""])[0], revision))

    def _send_from(self, archive: Archive, path: str, query: dict[str, str]) -> None:
        """What comes from the reads file."""
        name, _, kind = path.rpartition(".")
        number = name.removeprefix("/reads/")
        try:
            if path == "/api/reads":
                self._send_json(archive.reads(query))
            elif path == "/api/track":
                self._send_json(archive.track(query.get("drive", "")))
            elif kind == "jpg" and number.isascii() and number.isdecimal() and len(number) < 16:
                # No copy may be kept: the number of a read that went is another car's later.
                self._send_crop(archive.crop(int(number)), cache="no-store")
            elif name == "/export/reads" and kind in EXPORTS:
                headers = {"Content-Disposition": f'attachment; filename="{download_name(kind)}"'}
                self._send(HTTPStatus.OK, EXPORTS[kind], archive.export(kind, query).encode(), headers=headers)
            else:
                self._send_text(HTTPStatus.NOT_FOUND, "There is no such page")
        except BadFilterError as e:
            self._send_json({"error": str(e)}, HTTPStatus.BAD_REQUEST)
        except StoreError as e:
            _LOG.warning("the web page: %s", e)
            self._send_json({"error": "the reads cannot be read now"}, HTTPStatus.SERVICE_UNAVAILABLE)

    def _send_crop(self, crop: bytes | None, cache: str = "private, max-age=86400") -> None:
        if crop is None:
            self._send_text(HTTPStatus.NOT_FOUND, "There is no such read any more")
        else:
            self._send(HTTPStatus.OK, "image/jpeg", crop, cache=cache)

    def _send_json(self, answer: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, "application/json", json.dumps(answer, allow_nan=False).encode())

    def _send_static(self, name: str, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, kind, _read_static(name), cache="no-cache")

    def _send_text(self, status: HTTPStatus, text: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{text}.\n".encode())

    def _send(
        self,
        status: HTTPStatus,
        kind: str,
        body: bytes,
        *,
        cache: str = "no-store",
        headers: dict[str, str] | None = None,
    ) -> None:
        self._begin(status, kind, len(body), {"Cache-Control": cache, **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, length: int | None, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in (_HEADERS | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _send_stream(self) -> None:
        with self.stream.viewer() as welcome:
            if not welcome:
                self._send_text(HTTPStatus.SERVICE_UNAVAILABLE, "Too many are looking already")
                return
            # A short buffer: what waits in it is what a slow viewer lags behind.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            self.close_connection = True
            kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
            self._begin(HTTPStatus.OK, kind, None, {"Cache-Control": "no-store", "Connection": "close"})
            if self.command == "HEAD":
                return
            self.wfile.write(f"--{BOUNDARY}\r\n".encode())
            serial = 0
            while (picture := self.stream.next_jpeg(serial)) is not None:
                serial, jpeg = picture
                if jpeg:
                    self.wfile.write(part(jpeg))


def _read_static(name: str) -> bytes:
    return (resources.files("edge_client.displays.web") / "static" / name).read_bytes()
