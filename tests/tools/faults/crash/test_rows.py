"""What is made of what was found after kills and drives, and the disks where they can be had."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge_client.store.schema import explain
from tools.crash.device import Kill
from tools.faults.crash import trials
from tools.faults.crash.disks import why_no_disks, why_no_power_cuts
from tools.faults.crash.drive import Driven, row_of_drive, small_settings
from tools.faults.crash.inside import rows_inside
from tools.faults.crash.kills import row_of_kills
from tools.faults.trial import Effort

GOOD = Kill(3.0, 2, (), (), sound=True, recorded=True, lost_s=1.2)
SUMMARY = {"captured": 480, "shown": {"annotated": 400, "carried": 80, "plain": 0}}


def test_one_bad_kill_is_enough() -> None:
    assert row_of_kills("kill", [GOOD, GOOD]).kept
    assert "at most 1.20 s lost" in row_of_kills("kill", [GOOD]).measured
    assert not row_of_kills("kill", [GOOD, Kill(3.0, 2, ("a",), (), sound=True, recorded=True, lost_s=1.2)]).kept
    assert not row_of_kills("kill", []).kept


def driven(tmp_path: Path, **changes: object) -> Driven:
    with sqlite3.connect(tmp_path / "reads.db") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS reads (uid TEXT PRIMARY KEY, text TEXT)")
        connection.execute("INSERT OR IGNORE INTO reads VALUES ('a', 'AB12CDE')")
    connection.close()
    values: dict[str, object] = {
        "code": 0,
        "last_words": "",
        "summary": SUMMARY,
        "before": {"a": "AB12CDE"},
        "failing": "failed, the disk is full",
        "recording": "recording",
    }
    return Driven(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"code": 1}, False),
        ({"failing": ""}, False),
        ({"recording": "failed"}, False),
        ({"before": {"b": "XX"}}, False),
        ({"summary": SUMMARY | {"captured": 481}}, False),
    ],
)
def test_a_drive_goes_on_says_so_and_loses_nothing(tmp_path: Path, changes: dict[str, object], kept: bool) -> None:
    assert row_of_drive("full", driven(tmp_path, **changes), tmp_path, recovers=True).kept is kept


def test_a_disk_that_stays_broken_may_end_the_drive_with_a_message(tmp_path: Path) -> None:
    said = "2 reads could not be written: the disk failed"
    for code, words, kept in ((1, said, True), (1, "Traceback", False), (0, "", True)):
        found = driven(tmp_path, code=code, last_words=words, recording="failed")
        assert row_of_drive("read-only", found, tmp_path, recovers=False).kept is kept


def test_where_no_disk_can_be_had_the_row_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "why_no_disks", lambda: "no namespaces here")
    monkeypatch.setattr(trials, "why_no_power_cuts", lambda: "it takes root")
    rows = list(trials.disks(Effort(tmp_path)))
    assert len(rows) == 6
    assert all(row.kept is None and "cannot be tried here" in row.measured for row in rows)


@pytest.mark.skipif(bool(why_no_disks()), reason=why_no_disks() or "-")
def test_reads_and_recordings_on_a_full_disk(tmp_path: Path) -> None:
    rows = list(rows_inside("full_disk", Effort(tmp_path, part=0.02, seed=2)))
    assert [row.kept for row in rows] == [True, True], rows


@pytest.mark.skipif(bool(why_no_power_cuts()), reason=why_no_power_cuts() or "-")
def test_a_power_cut_loses_what_was_not_made_durable_and_nothing_else(tmp_path: Path) -> None:
    rows = list(rows_inside("power_cuts", Effort(tmp_path, part=0.02)))
    assert [row.kept for row in rows] == [True, True], rows


def test_a_part_that_breaks_says_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.faults.crash.inside.in_namespace", lambda command: [*command[:3], "nothing", "x", "{}"])
    with pytest.raises(OSError, match="full_disk ended with 1: KeyError: 'nothing'"):
        list(rows_inside("full_disk", Effort(tmp_path)))


def test_the_device_has_room_for_a_recording_on_a_small_disk(tmp_path: Path) -> None:
    assert "reserve_gb: 0" in small_settings(tmp_path).read_text(encoding="utf-8")


def test_a_file_beside_the_database_that_cannot_grow_is_a_full_disk() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    assert explain(error) == "the disk is full"
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    assert explain(error) == "the disk failed (disk I/O error)"
