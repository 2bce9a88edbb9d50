from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_client.spool.spooling as spooling_module
from cloud_apis.contract import PlateBox
from edge_client.config import OfflineSettings
from edge_client.errors import SpoolError
from edge_client.pipeline.events import SentCrop, Sighting
from edge_client.spool.evidence import Evidence, EvidenceError, decode, encode
from edge_client.spool.folder import SpoolFolder
from edge_client.spool.spooling import Spooling
from edge_client.types import Fix, UtcSource

UTC_TIME = datetime(2026, 5, 1, 10, 0, 0, 250_000, tzinfo=UTC)
FIX = Fix(45.753721, 21.225711, UTC_TIME, 12.5, speed_mps=15.0, course_deg=90.0, satellites=7, hdop=1.1)
SEEN = Sighting(17, 1.7, 99.25, UTC_TIME, UtcSource.GPS, FIX, 0.2)
JPEG = b"\xff\xd8 a picture \n with lines \xff\xd9"
CROP = SentCrop(3, JPEG, 60, 20, 250.0, PlateBox(1.0, 2.0, 3.0, 4.5, 0.9, (0.8, 0.1)), SEEN, UTC_TIME)
SETTINGS = OfflineSettings(min_free_mb=0)


def frame(number: int = 17, drive: str = "a1", jpeg: bytes = JPEG) -> Evidence:
    return Evidence(drive, replace(SEEN, frame_number=number), jpeg)


@pytest.mark.parametrize(
    "evidence",
    [
        frame(),
        Evidence("a1", replace(SEEN, fix=None, fix_age_s=None, utc_source=UtcSource.SYSTEM), JPEG),
        Evidence("a1", replace(SEEN, fix=Fix(1.0, 2.0, None, 3.0)), b""),
        Evidence("a1", SEEN, JPEG, CROP),
    ],
)
def test_evidence_comes_back_as_it_was(evidence: Evidence) -> None:
    back = decode(encode(evidence))
    assert (back.drive, back.sighting, back.jpeg) == (evidence.drive, evidence.sighting, evidence.jpeg)
    if evidence.crop is None:
        assert back.crop is None
    else:
        assert back.crop is not None
        for name in ("track", "jpeg", "width_px", "height_px", "sharpness", "box", "sighting", "began"):
            assert getattr(back.crop, name) == getattr(evidence.crop, name)


@given(st.integers(0, 10_000), st.integers(0, 255), st.booleans())
def test_a_damaged_file_is_told(place: int, value: int, cut: bool) -> None:
    content = bytearray(encode(Evidence("a1", SEEN, JPEG, CROP)))
    place %= len(content)
    if cut:
        content = content[:place]
    elif content[place] == value:
        return
    else:
        content[place] = value
    with pytest.raises(EvidenceError):
        decode(bytes(content))


@given(st.binary(max_size=200))
def test_what_is_none_of_ours_is_told(content: bytes) -> None:
    with pytest.raises(EvidenceError):
        decode(content)


def test_the_oldest_comes_first_also_after_a_restart(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path / "spool", SETTINGS)
    for number in range(3):
        assert folder.add(frame(number, drive="b2" if number else "a1")) is not None
    folder.close()
    again = SpoolFolder(tmp_path / "spool", SETTINGS)
    assert again.add(frame(3)) is not None
    found = [again.read(entry) for entry in again.entries()]
    assert [e.sighting.frame_number for e in found if e is not None] == [0, 1, 2, 3]
    assert [entry.drive for entry in again.entries()] == ["a1", "b2", "b2", "a1"]
    again.remove(again.entries())
    assert (again.count, again.size_bytes, list((tmp_path / "spool").glob("*.evidence"))) == (0, 0, [])


def test_no_place_in_the_order_comes_twice_also_when_the_folder_was_empty(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, SETTINGS)
    first = folder.add(frame(0))
    folder.remove(folder.entries())
    second = folder.add(frame(1))
    assert first is not None and second is not None
    assert (first.sequence, second.sequence) == (1, 2)
    folder.close()
    again = SpoolFolder(tmp_path, SETTINGS)  # what is left over keeps its place
    third = again.add(frame(2, drive="b2"))
    assert third is not None
    assert again.entries() == [second, third]
    assert third.sequence == 3


def test_the_oldest_goes_when_there_is_too_much(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, OfflineSettings(min_free_mb=0, max_mb=1))
    for number in range(5):
        folder.add(frame(number, jpeg=b"x" * 300_000))
    kept = [folder.read(entry) for entry in folder.entries()]
    assert [e.sighting.frame_number for e in kept if e is not None] == [2, 3, 4]
    assert folder.evicted == 2
    assert folder.size_bytes <= 1_000_000


def test_what_is_too_old_goes_unread(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, OfflineSettings(min_free_mb=0, keep_days=2.0))
    old, unset, young = (folder.add(frame(n)) for n in range(3))
    assert old is not None
    assert unset is not None
    assert young is not None
    day_s = 86_400
    os.utime(tmp_path / old.name, times=(time.time() - 3 * day_s,) * 2)
    os.utime(tmp_path / unset.name, times=(day_s, day_s))  # kept while the clock stood in 1970
    assert folder.read(old) is None
    assert folder.read(unset) is not None
    assert folder.read(young) is not None
    assert (folder.expired, folder.count) == (1, 2)


def test_what_is_too_old_goes_though_nobody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = OfflineSettings(min_free_mb=0, keep_days=2.0)
    folder = SpoolFolder(tmp_path, settings)
    first, second, young = (folder.add(frame(n)) for n in range(3))
    assert first is not None and second is not None
    folder.close()
    os.utime(tmp_path / first.name, times=(time.time() - 3 * 86_400,) * 2)
    again = SpoolFolder(tmp_path, settings)  # at the start of a drive
    assert (again.entries(), again.expired) == ([second, young], 1)
    assert not (tmp_path / first.name).exists()
    assert "pictures were kept for more than 2 days" in caplog.text
    monkeypatch.setattr(spooling_module, "_EXPIRE_S", 0.0)
    spooling = Spooling("a1", again, settings, lambda: False, lambda: None)
    os.utime(tmp_path / second.name, times=(time.time() - 3 * 86_400,) * 2)
    spooling.close(20.0)  # and now and then during it
    assert (again.entries(), again.expired) == ([young], 2)


def test_damaged_and_foreign_files_harm_nothing(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, SETTINGS)
    first, second = folder.add(frame(0)), folder.add(frame(1))
    assert first is not None
    assert second is not None
    folder.close()
    (tmp_path / first.name).write_bytes(b"garbage")
    (tmp_path / "note.txt").write_text("mine")
    (tmp_path / "000000000009-a1-f.evidence.part").write_bytes(b"half")
    again = SpoolFolder(tmp_path, SETTINGS)
    assert [again.read(entry) is None for entry in again.entries()] == [True, False]
    assert (again.corrupt, again.count) == (1, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", second.name, "note.txt"]


def test_a_full_disk_is_counted_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = SpoolFolder(tmp_path, OfflineSettings(min_free_mb=10**9))
    assert folder.add(frame()) is None
    assert folder.add(frame()) is None
    assert (folder.refused, folder.count) == (2, 0)
    assert [r.getMessage() for r in caplog.records if "MB are free" in r.getMessage()] == [
        caplog.records[0].getMessage()
    ]


def test_two_dashcams_do_not_share_a_spool(tmp_path: Path) -> None:
    first = SpoolFolder(tmp_path, SETTINGS)
    with pytest.raises(SpoolError, match="another dashcam uses the spool"):
        SpoolFolder(tmp_path, SETTINGS)
    first.close()
    SpoolFolder(tmp_path, SETTINGS).close()


def test_a_folder_that_cannot_be_made_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot use the spool"):
        SpoolFolder(tmp_path / "file", SETTINGS)


def test_what_was_kept_survives_a_kill(tmp_path: Path) -> None:
    """A process that keeps evidence without end is killed: each piece that it reported is there, whole."""
    child = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tests.edge_client.spool.test_folder import SETTINGS, SpoolFolder, frame
        folder = SpoolFolder(Path(sys.argv[1]), SETTINGS)
        number = 0
        while True:
            entry = folder.add(frame(number, jpeg=bytes([number % 256]) * 50_000))
            print(entry.name, flush=True)
            number += 1
        """
    )
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", child, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    reported = [process.stdout.readline().strip() for _ in range(5)]
    process.kill()
    reported += process.stdout.read().split("\n")[:-1]
    process.wait()
    process.stdout.close()
    folder = SpoolFolder(tmp_path, SETTINGS)
    assert set(reported) <= {entry.name for entry in folder.entries()}
    assert all(folder.read(entry) is not None for entry in folder.entries())
