"""Tells when interfaces, addresses or routes change (Linux rtnetlink, RFC 3549): the network may be back."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_LINKS, _IPV4_ADDRESSES, _IPV4_ROUTES, _IPV6_ADDRESSES, _IPV6_ROUTES = 0x1, 0x10, 0x40, 0x100, 0x400
_GROUPS = _LINKS | _IPV4_ADDRESSES | _IPV4_ROUTES | _IPV6_ADDRESSES | _IPV6_ROUTES
_SIZE = 65536


class RouteWatch:
    """Calls ``on_change``, which must not block, on a thread of its own; does nothing where the system cannot tell."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._told = self._open()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="routes", daemon=True)
        if self._told is not None:
            self._thread.start()

    @property
    def active(self) -> bool:
        """Whether the system tells of changes."""
        return self._told is not None

    def close(self) -> None:
        """End."""
        with contextlib.suppress(OSError):
            self._wake.send(b"x")
        if self._thread.ident is not None:
            self._thread.join()
        for end in (self._wake, self._woken, self._told):
            if end is not None:
                end.close()

    def _open(self) -> socket.socket | None:
        family = getattr(socket, "AF_NETLINK", None)
        if family is None:
            return None
        try:
            told = socket.socket(family, socket.SOCK_RAW, 0)
            told.bind((0, _GROUPS))
            told.setblocking(False)
        except OSError as error:
            _LOG.info("changes of routes cannot be seen: %s", error.strerror)
            return None
        return told

    def _run(self) -> None:
        told = self._told
        while told is not None:
            ready, _, _ = select.select([told, self._woken], [], [])
            if self._woken in ready:
                return
            with contextlib.suppress(OSError):  # nothing more to be read, or more than the queue held
                while told.recv(_SIZE):
                    pass
            self._on_change()
