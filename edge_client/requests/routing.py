"""Which way requests leave this machine: by a network interface, or from one of its addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_CAUSES = (
    ("errno 19]", "the network interface {way} is not there (yet)"),
    ("errno 99]", "this machine does not have the address {way} (yet)"),
    ("errno 1]", "this process may not send by {way}"),
)


@dataclass(frozen=True, slots=True)
class WayOut:
    """An interface by name (Linux, ``SO_BINDTODEVICE``: no other one will do), or an address; neither is any way."""

    interface: str | None = None
    source_address: str | None = None

    def explain(self, error: str) -> str | None:
        """What an error of the system means for this way out; None for other errors."""
        way = self.interface or self.source_address
        if way is None:
            return None
        return next((text.format(way=way) for sign, text in _CAUSES if sign in error.lower()), None)


class RoutedAdapter(HTTPAdapter):
    """An adapter of `requests` whose connections take a way out, and which tells of new ones.

    An interface or address that is missing makes connecting fail, and is looked for again with each connection.
    """

    def __init__(self, way_out: WayOut, **options: Any) -> None:
        self._thread = threading.local()
        self._routing: dict[str, Any] = {}
        if way_out.interface is not None:
            name = way_out.interface.encode("ascii") + b"\0"
            bound = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)
            self._routing["socket_options"] = [*HTTPConnection.default_socket_options, bound]
        elif way_out.source_address is not None:
            self._routing["source_address"] = (way_out.source_address, 0)
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """As the adapter of `requests`, with the way out."""
        super().init_poolmanager(*arguments, **{**options, **self._routing})
        self.poolmanager.pool_classes_by_scheme = _noting(self._note)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """As the adapter of `requests`, with the way out."""
        return super().proxy_manager_for(proxy, **{**options, **self._routing})

    def take_connected(self) -> bool:
        """Whether this thread has made a new connection since it asked last."""
        connected: bool = getattr(self._thread, "connected", False)
        self._thread.connected = False
        return connected

    def _note(self) -> None:
        self._thread.connected = True


def _noting(note: Callable[[], None]) -> dict[str, type[HTTPConnectionPool]]:
    """The pools of urllib3 by scheme, their connections calling ``note`` as they are made."""

    class Http(HTTPConnection):
        def connect(self) -> None:
            note()
            super().connect()

    class Https(HTTPSConnection):
        def connect(self) -> None:
            note()
            super().connect()

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    return {"http": HttpPool, "https": HttpsPool}
