"""Tells the service manager how it goes: `sd_notify(3)`, one datagram per message on a Unix socket."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

_SOCKET_VARIABLE = "NOTIFY_SOCKET"


class ServiceManager:
    """The manager that started this process; without one every message goes nowhere.

    A manager that cannot be told (its socket is gone or full) holds nobody up and stops nothing.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Opens a socket to the path in NOTIFY_SOCKET; a name that begins with @ is in the abstract namespace."""
        self._address = _address(environment.get(_SOCKET_VARIABLE, ""))
        self._socket: socket.socket | None = None
        self._is_ready = False
        if self._address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    @property
    def listens(self) -> bool:
        """Whether a manager wants to be told."""
        return self._socket is not None

    def alive(self, status: str) -> None:
        """The drive goes on: feeds the watchdog and sets the line that `systemctl status` shows.

        The first call also tells that the service has started.
        """
        first = "" if self._is_ready else "READY=1\n"
        self._is_ready = True
        self._send(f"{first}WATCHDOG=1\nSTATUS={_one_line(status)}")

    def stopping(self) -> None:
        """The drive is being ended in order."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Nothing is told afterwards."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is not None and self._address is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(message.encode(), self._address)


def service_manager() -> ServiceManager:
    """The manager of this very process. Children are not to speak in its name, so the variable is removed."""
    manager = ServiceManager(os.environ)
    os.environ.pop(_SOCKET_VARIABLE, None)
    return manager


def _address(path: str) -> str | None:
    if path.startswith("@"):
        return "\0" + path[1:]
    return path if path.startswith("/") else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
