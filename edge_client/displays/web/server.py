"""The web page as a display: an HTTP server on a thread of its own."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from cloud_apis.contract import is_loopback
from edge_client.config import WebSettings
from edge_client.displays.web.access import Gate
from edge_client.displays.web.archive import Archive
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.handler import PageHandler
from edge_client.displays.web.stream import PictureStream
from edge_client.errors import ConfigError
from edge_client.types import Image, ShownFrame

_LOG = logging.getLogger(__name__)
_MAX_CONNECTIONS = 48
_LOOK_FOR_END_S = 0.1


class WebPage:
    """Serves the page until it is closed. Visitors never hold up the drive."""

    name = "the web page"
    every_frame = False

    def __init__(
        self,
        host: str,
        port: int,
        settings: WebSettings,
        board: LiveBoard,
        *,
        key: str | None = None,
        another_port: bool = False,
        archive: Archive | None = None,
        on_lock: Callable[[], bool] | None = None,
    ) -> None:
        """Binds the address and begins to serve.

        Args:
            host: address to bind, without brackets; only loopback without a key.
            port: port to bind, 0 for a free one.
            settings: width, quality and rate of the stream.
            board: what stands beside the stream.
            key: what visitors have to know, None for nothing.
            another_port: take a free port if the wanted one is taken.
            archive: the stored reads, None for a page without its list.
            on_lock: keeps the recorded segment; false when nothing is recorded; must not block.

        Raises:
            ConfigError: the address cannot be bound, or a key is missing.
        """
        if key is None and not is_loopback(host):
            raise ConfigError(
                f"the web page on {host} would be open to everybody: set a key (variable DASHCAM_WEB_KEY or "
                f"web.key_file), or keep it on this machine: --web 127.0.0.1:{port}"
            )
        self._stream = PictureStream(
            width_px=settings.width_px,
            jpeg_quality=settings.jpeg_quality,
            max_rate_hz=settings.max_rate_hz,
        )
        parts = {
            "gate": Gate(key),
            "board": board,
            "stream": self._stream,
            "archive": archive,
            "on_lock": None if on_lock is None else staticmethod(on_lock),
        }
        handler = type("Handler", (PageHandler,), parts)
        self.port_was_taken = False
        try:
            self._server = _bind(host, port, handler)
        except OSError as e:
            if not (another_port and e.errno == errno.EADDRINUSE):
                raise ConfigError(_explain(host, port, e)) from e
            self.port_was_taken = True
            self._server = _bind(host, 0, handler)
        self._host = host
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_FOR_END_S,), name="web-page", daemon=True
        )
        self._thread.start()
        self._closed = False

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        host = self._host
        if host in ("0.0.0.0", "::"):  # noqa: S104 - only compared: every address, so name the machine
            host = socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_address[1]}/"

    @property
    def viewers(self) -> int:
        """How many look at the stream now."""
        return self._stream.viewers

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        """Makes this the newest picture of the stream; never waits."""
        self._stream.publish(annotated)

    def closed_by_user(self) -> bool:
        """A page that is left does not end the drive."""
        return False

    def close(self) -> None:
        """Ends all streams and frees the port. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._stream.close()
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """A bounded number of connections, each on a thread that ends with the process."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], handler: type[PageHandler], family: socket.AddressFamily) -> None:
        self.address_family = family
        self._places = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """As the base class, without its reverse look-up of the host name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def verify_request(self, request: object, client_address: object) -> bool:
        """Takes a place for the connection, if there is one."""
        return self._places.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: object) -> None:
        """Serves the connection and gives its place back."""
        with self._lock:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
            self._places.release()

    def end_connections(self) -> None:
        """Hangs up on everybody: a browser would go on asking over the connection that it has."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the visitor may just have gone
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A visitor who goes away in the middle is nothing to report."""
        _LOG.debug("a connection of the web page ended early", exc_info=True)


def _bind(host: str, port: int, handler: type[PageHandler]) -> _Server:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return _Server((str(address[0]), int(address[1])), handler, family)


def _explain(host: str, port: int, error: OSError) -> str:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"the web page cannot use {where}: the port is taken; name another: --web {host}:PORT, or off"
    if error.errno == errno.EACCES:
        return f"the web page cannot use {where}: ports below 1024 need root; take a higher one"
    return f"the web page cannot use {where}: {error.strerror}; name an address of this machine"
