"""Log lines for the journal: a socket stands for the journal's."""

from __future__ import annotations

import io
import logging
import os
import socket
import subprocess
import sys

import pytest

from edge_client.commands.progress import Progress
from edge_client.service.journal import goes_to_journal, priority_prefix
from tests.edge_client.displays.samples import STATUS


@pytest.mark.parametrize(
    ("level", "prefix"),
    [
        (logging.CRITICAL, "<2>"),
        (logging.ERROR, "<3>"),
        (logging.WARNING, "<4>"),
        (logging.INFO, "<6>"),
        (logging.DEBUG, "<7>"),
    ],
)
def test_priorities(level: int, prefix: str) -> None:
    assert priority_prefix(level) == prefix


def test_the_journal_is_known_by_its_socket() -> None:
    here, _far = socket.socketpair()
    with here.makefile("w") as file:
        state = os.fstat(here.fileno())
        journal = {"JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino}"}
        assert goes_to_journal(file, journal)
        assert not goes_to_journal(file, {"JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino + 1}"})
        assert not goes_to_journal(file, {"JOURNAL_STREAM": "nonsense"})
        assert not goes_to_journal(file, {})
        assert not goes_to_journal(io.StringIO(), journal)


def test_lines_of_the_drive_begin_with_their_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    here, far = socket.socketpair()
    state = os.fstat(here.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{state.st_dev}:{state.st_ino}")
    with here.makefile("w") as file, Progress(file, verbose=False) as progress:
        progress.update(STATUS)
        logging.getLogger("edge_client.anything").warning("the disk is full:\nno space")
        logging.getLogger("edge_client.anything").info("a note")
    here.close()
    with far.makefile() as lines:
        assert lines.read() == "<4>the disk is full: no space\n<6>a note\n"


def test_an_error_of_the_command_has_a_priority_too() -> None:
    here, far = socket.socketpair()
    state = os.fstat(here.fileno())
    ended = subprocess.run(
        [sys.executable, "-m", "edge_client", "run", "none.mp4", "--config", "none.yaml"],
        stderr=here.fileno(),
        env={**os.environ, "JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino}"},
        check=False,
    )
    here.close()
    assert ended.returncode == 2
    with far.makefile() as lines:
        assert lines.read().startswith("<3>dashcam: error: ")
