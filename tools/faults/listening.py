"""A raw TCP server on loopback, for answers that no HTTP library would send."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

TIMEOUT_S = 10.0


class Listening:
    """Takes one connection after the other, in a thread, and lets `answer` do with each as it likes.

    What breaks a connection ends that one alone.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer nobody any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(TIMEOUT_S)

    def answer(self, connection: socket.socket) -> None:
        """Serve one connection, which is closed afterwards; it may raise OSError."""
        raise NotImplementedError

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(TIMEOUT_S)
                self.answer(connection)
