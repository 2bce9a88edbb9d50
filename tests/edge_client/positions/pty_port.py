"""A pseudo-terminal in place of a serial port: what is written to it, a receiver seems to say."""

from __future__ import annotations

import contextlib
import os
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path


class PtyPort:
    """A port at ``path``, a link like /dev/serial/by-id; it can be unplugged and plugged in again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master, self._slave = -1, -1
        self.plug_in()

    def plug_in(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = -1

    def say(self, data: bytes | str) -> None:
        os.write(self._master, data if isinstance(data, bytes) else f"{data}\r\n".encode())

    def answer(self, answers: Callable[[bytes], bytes]) -> threading.Thread:
        """Hear one command, up to its carriage return, and answer it."""

        def run() -> None:
            command = b""
            while not command.endswith(b"\r"):
                command += os.read(self._master, 100)
            os.write(self._master, answers(command))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        if self._master >= 0:
            self.unplug()


@contextlib.contextmanager
def pty_port(path: Path) -> Iterator[PtyPort]:
    port = PtyPort(path)
    try:
        yield port
    finally:
        port.close()


class Speaker:
    """Says something again and again until it is left: a port may drop what is said before it is opened."""

    def __init__(self, say: Callable[[int], None], pause_s: float = 0.01) -> None:
        self._say, self._pause_s = say, pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Speaker:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(self._pause_s):
            try:
                self._say(count)
            except OSError:
                return
            count += 1
