"""The dashcam's keys in what it prints, writes and leaves behind when it dies."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from tools.faults.access.tries import Tries
from tools.faults.fuzz.samples import drawn
from tools.faults.listening import Listening
from tools.faults.row import Row

API_KEY: Final = "api-key-RqN7tVx2LmW9"
WEB_KEY: Final = "web-key-Zb4Kc8YpH3sD"
_ANSWERS: Final = (
    b"HTTP/1.1 401 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops",
    b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngarbage",
    b"",
    b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"boxes":[]}',
)
_PICTURES: Final = 12
_TIMEOUT_S: Final = 120.0


class _Mirror(Listening):
    """Answers in every wrong way in turn; one of them is what was sent, key included."""

    def __init__(self) -> None:
        self.asked = 0
        self.saw_key = False
        self.waiting = threading.Event()
        super().__init__()

    def answer(self, connection: socket.socket) -> None:
        """As `Listening` has it."""
        head = connection.recv(65536)
        self.saw_key |= API_KEY.encode() in head
        mirrored = b"HTTP/1.1 400 %s\r\n\r\n%s" % (API_KEY.encode(), head[:2000])
        connection.sendall((*_ANSWERS, mirrored)[self.asked % (len(_ANSWERS) + 1)])
        self.asked += 1
        self.waiting.set()


def rows(folder: Path) -> Iterator[Row]:
    """One drive to its end, one that is aborted."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(_PICTURES):
        drawn(160, 96).save(pictures / f"{number:03d}.jpg")
    tries = Tries("keys in the dashcam's output, files and crash reports", "not there, however it ends")
    for name, abort in (("to its end", False), ("aborted", True)):
        run = folder / name.replace(" ", "-")
        run.mkdir()
        mirror = _Mirror()
        try:
            said = _drive(run, pictures, mirror, abort=abort)
        finally:
            mirror.close()
        tries.welcome(f"{name}: the key reached the APIs", mirror.saw_key)
        for key in (API_KEY, WEB_KEY):
            tries.refused(f"{name}: {key[:7]} in its output", key.encode() not in said)
            left = [file.name for file in run.rglob("*") if file.is_file() and key.encode() in file.read_bytes()]
            tries.refused(f"{name}: {key[:7]} in {left}", not left)
    yield tries.row()


def _drive(run: Path, pictures: Path, mirror: _Mirror, *, abort: bool) -> bytes:
    """What a drive printed; its files lie below ``run``."""
    settings = {
        "pool": {"pause_s": 0.01, "max_pause_s": 0.05, "retry_jitter_s": 0.01, "outage_wait_s": 0.1},
        "offline": {"folder": str(run / "spool"), "min_free_mb": 0, "catch_up_s": 0.0},
        "source": {"rate": "full"},
    }
    config = run / "edge.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    url = f"http://127.0.0.1:{mirror.port}"
    process = subprocess.Popen(
        [
            *(
                sys.executable,
                "-X",
                "faulthandler",
                "-X",
                "dev",
                "-m",
                "edge_client",
                "run",
                str(pictures),
                "--no-window",
            ),
            *("--config", str(config), "--web", "127.0.0.1:0", "--reads", str(run / "reads.db")),
            *("--yolov3-endpoint", url, "--crnn-endpoint", url, "--summary-json", str(run / "summary.json")),
        ],
        env=os.environ | {"DASHCAM_API_KEY": API_KEY, "DASHCAM_WEB_KEY": WEB_KEY, "PYTHONFAULTHANDLER": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_no_core,  # noqa: PLW1509 (a limit of the child, before any thread of it)
    )
    try:
        if abort and mirror.waiting.wait(_TIMEOUT_S):
            process.send_signal(signal.SIGABRT)
        said, _ = process.communicate(timeout=_TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    return said


def _no_core() -> None:
    """A memory image holds everything by its nature; whether one is written is the system's choice."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
