"""The crash test of the list itself: a few kills, and damage that it must not miss."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tools.crash.cli import main
from tools.crash.reads import kill_often, live_and_die


def test_what_was_reported_as_written_survives_kills(tmp_path: Path) -> None:
    lives = list(kill_often(tmp_path / "reads.db", [0.3, 0.0]))
    assert all(life.good for life in lives)
    assert lives[-1].reported >= 2


def test_a_lost_read_and_a_broken_file_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    alive: set[str] = {"never written"}
    life = live_and_die(path, "drive", 0.0, alive, set())
    assert life.missing == ("never written",)
    assert not life.good
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'positions'")
    connection.close()
    assert not live_and_die(path, "again", 0.0, set(), set()).good


def test_the_command_kills_and_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reads", "--kills", "2", "--longest", "0.2"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 kills of what saves reads" in said
    assert "file of the reads intact │ 2 of 2" in said
    assert "of these missing │ 0" in said
