from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_client.config import EdgeSettings, ReadSettings
from edge_client.config.recording import RecordingSettings
from edge_client.doctor import stored
from edge_client.doctor.finding import Finding, Verdict
from edge_client.recording.locks import lock_segment
from edge_client.recording.names import SegmentName
from edge_client.recording.stock import stock_of
from edge_client.recording.track import End, line_of
from edge_client.store.secrecy import PlateSecret
from edge_client.store.writer import SqliteReads
from tests.edge_client.recording.samples import HEAD
from tests.edge_client.samples import read


def reads(**settings: object) -> dict[str, Finding]:
    return {finding.part: finding for finding in stored.reads(ReadSettings.model_validate(settings))}


def test_the_reads_file(tmp_path: Path) -> None:
    file = tmp_path / "reads.db"
    assert "will be made" in reads(file=file)["reads file"].found
    assert reads(file=tmp_path / "none" / "reads.db")["reads file"].verdict is Verdict.WRONG
    unseen = reads(file=tmp_path / ("x" * 300), hash_key_file=None)["reads file"]
    assert (unseen.verdict, unseen.found.endswith("File name too long")) == (Verdict.WRONG, True)
    file.write_text("no database " * 100, "utf-8")
    assert reads(file=file)["reads file"].verdict is Verdict.WRONG


def test_the_list_and_the_secret(tmp_path: Path) -> None:
    known, secret = tmp_path / "known.csv", tmp_path / "secret"
    known.write_text("plate,name\nB01ABC,me\n", "utf-8")
    secret.write_text("0123456789abcdef0123", "utf-8")
    secret.chmod(0o600)
    well = reads(file=tmp_path / "r.db", known_file=known, hash_key_file=secret)
    assert well["your plates"].found.endswith(": 1")
    assert "HMAC" in well["hashing"].found
    secret.write_text("short", "utf-8")
    ill = reads(file=tmp_path / "r.db", known_file=tmp_path / "none.csv", hash_key_file=secret)
    assert [ill["your plates"].verdict, ill["hashing"].verdict] == [Verdict.WRONG, Verdict.WRONG]
    assert "short" not in ill["hashing"].found.replace("too short", "")


def test_reads_of_before_the_hashing_are_told(tmp_path: Path) -> None:
    file, secret = tmp_path / "reads.db", tmp_path / "secret"
    secret.write_text("0123456789abcdef0123", "utf-8")
    store = SqliteReads(file, secret=PlateSecret.load(secret))
    store.save(read("a"))
    store.close()
    assert reads(file=file, hash_key_file=secret)["hashing"].verdict is Verdict.OK
    store = SqliteReads(file)
    store.save(read("b"))
    store.close()
    finding = reads(file=file, hash_key_file=secret)["hashing"]
    assert finding.verdict is Verdict.NOTE
    assert "1 reads of before are plain" in finding.found


def test_recordings_and_how_much_is_locked(tmp_path: Path) -> None:
    settings = RecordingSettings(folder=tmp_path / "rec", max_gb=0.001)
    assert "will be made" in stored.recordings(settings).found
    assert stored.recordings(RecordingSettings(when="never")).found == "off"
    folder = tmp_path / "rec"
    folder.mkdir()
    for number in range(1, 4):
        SegmentName.of(number, datetime(2026, 5, 1, tzinfo=UTC)).video(folder).write_bytes(bytes(300_000))
    assert stored.recordings(settings).verdict is Verdict.OK
    for item in stock_of(folder)[:2]:
        lock_segment(folder, item.name, "button")
    finding = stored.recordings(settings)
    assert finding.verdict is Verdict.NOTE
    assert "locked" in finding.found


@pytest.mark.parametrize("why", ["length", "end", "cut", "the camera's encoder fails: it gives nothing"])
def test_a_recording_that_failed_in_the_last_drive_is_told(tmp_path: Path, why: str) -> None:
    for number, ending in enumerate(("the disk is full", why), 1):
        name = SegmentName.of(number, datetime(2026, 5, 1, tzinfo=UTC))
        name.video(tmp_path).write_bytes(bytes(1000))
        name.track(tmp_path).write_text(line_of(HEAD) + line_of(End(2.0, 60, ending)), "utf-8")
    finding = stored.recordings(RecordingSettings(folder=tmp_path))
    assert finding.verdict is (Verdict.NOTE if "encoder" in why else Verdict.OK)
    assert ("the camera's encoder fails" in finding.found) == ("encoder" in why)


def test_what_is_written_is_looked_at(tmp_path: Path) -> None:
    settings = EdgeSettings.model_validate(
        {
            "reads": {"file": tmp_path / "reads.db"},
            "record": {"file": tmp_path / "video" / "drive.mp4"},
            "recording": {"folder": tmp_path / "rec"},
            "offline": {"folder": tmp_path / "spool"},
        }
    )
    assert stored.written_folders(settings) == {
        "reads": tmp_path,
        "video": tmp_path / "video",
        "recordings": tmp_path / "rec",
        "spool": tmp_path / "spool",
    }


def test_folders_that_cannot_be_looked_at_are_findings(tmp_path: Path) -> None:
    finding = stored.recordings(RecordingSettings(folder=tmp_path / ("x" * 300)))
    assert (finding.verdict, "File name too long" in finding.found) == (Verdict.WRONG, True)
