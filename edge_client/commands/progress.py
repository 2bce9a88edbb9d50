"""What `dashcam run` tells on standard error while it runs."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from typing import TextIO

from edge_client.service.journal import goes_to_journal, priority_prefix
from edge_client.types import LiveStatus


class Progress:
    """A line that is rewritten in place, on terminals only, and log lines above it.

    Warnings of all parts of the dashcam come out as `dashcam: warning: …`; in the journal the priority says what
    kind of line it is, and the journal knows the program.
    """

    def __init__(self, file: TextIO, *, verbose: bool) -> None:
        """`verbose` lets debug lines through too."""
        self._file = file
        self._is_terminal = file.isatty()
        self.is_journal = goes_to_journal(file, os.environ)
        self._level = logging.DEBUG if verbose else logging.INFO
        self._lock = threading.Lock()
        self._line = ""
        self._handler = _Handler(self)
        self._logger = logging.getLogger("edge_client")

    def __enter__(self) -> Progress:
        self._logger.addHandler(self._handler)
        self._logger.setLevel(self._level)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        with self._lock:
            self._clear()
            self._line = ""

    def update(self, status: LiveStatus) -> None:
        """Rewrites the line."""
        if not self._is_terminal:
            return
        with self._lock:
            self._line = progress_line(status)[: max(20, shutil.get_terminal_size().columns - 1)]
            self._file.write(f"\r{self._line}\x1b[K")
            self._file.flush()

    def tell(self, text: str) -> None:
        """Writes a line of its own above the progress line."""
        with self._lock:
            self._clear()
            self._file.write(f"{text}\n{self._line}")
            self._file.flush()

    def _clear(self) -> None:
        if self._line:
            self._file.write("\r\x1b[K")
            self._file.flush()


def progress_line(status: LiveStatus) -> str:
    """The live counters in one line."""
    summary = status.summary
    parts = [
        f"{sum(summary.shown.values())} frames",
        f"{status.frame_rate_hz:.1f}/s",
        f"age {summary.frame_age_p50_s:.2f} s (p99 {summary.frame_age_p99_s:.2f})",
        f"{summary.reads} reads",
        f"queue {status.queue}/{status.queue_limit}",
    ]
    if dropped := sum(summary.dropped.values()):
        parts.append(f"{dropped} dropped")
    parts += [f"{name} {state}" for name, state in status.apis.items() if state != "ok"]
    return "  ".join(parts)


class _Handler(logging.Handler):
    """Log records as lines of the command."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if self._progress.is_journal:
            one_line = " ".join(text.splitlines())
            self._progress.tell(f"{priority_prefix(record.levelno)}{one_line}")
            return
        level = f"{record.levelname.lower()}: " if record.levelno != logging.INFO else ""
        self._progress.tell(f"dashcam: {level}{text}")
