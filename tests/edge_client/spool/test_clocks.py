from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.clock import Correction
from edge_client.spool.clocks import corrections_of, note_correction
from edge_client.spool.evidence import Evidence
from edge_client.spool.folder import SpoolFolder
from edge_client.types import UtcSource
from tests.edge_client.spool.test_folder import CROP, JPEG, SEEN, SETTINGS

WRONG = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
SHIFT = timedelta(days=20_000)
CORRECTION = Correction("a1", SHIFT, UtcSource.GPS, WRONG + timedelta(seconds=50), 150.0)


def seen_at(monotonic_s: float, utc: datetime) -> Evidence:
    source = UtcSource.SYSTEM if utc.year < 2000 else UtcSource.GPS
    sighting = replace(SEEN, captured_monotonic_s=monotonic_s, utc=utc, utc_source=source)
    return Evidence("a1", sighting, JPEG, replace(CROP, sighting=sighting, began=utc - timedelta(seconds=1)))


def test_evidence_of_before_the_clock_was_set_gets_its_right_time_after_a_restart(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, SETTINGS)
    folder.add(seen_at(100.0, WRONG))
    folder.note_correction(CORRECTION)
    right = WRONG + SHIFT + timedelta(seconds=60)
    folder.add(seen_at(160.0, right))
    folder.close()
    again = SpoolFolder(tmp_path, SETTINGS)
    found = [again.read(entry) for entry in again.entries()]
    before, after = (again.corrected(evidence) for evidence in found if evidence is not None)
    assert (before.sighting.utc, before.sighting.utc_source) == (WRONG + SHIFT, UtcSource.GPS)
    assert before.crop is not None
    assert before.crop.sighting == before.sighting
    assert before.crop.began == WRONG + SHIFT - timedelta(seconds=1)
    assert after.sighting.utc == right


def test_a_track_that_began_before_the_clock_was_set_back_is_moved_with_it(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, SETTINGS)
    back = timedelta(hours=-1)
    seen = seen_at(120.0, SEEN.utc)
    assert seen.crop is not None
    crop = replace(seen.crop, began=SEEN.utc - timedelta(seconds=5), began_monotonic_s=115.0)
    folder.add(replace(seen, crop=crop))
    folder.note_correction(Correction("a1", back, UtcSource.GPS, SEEN.utc + timedelta(seconds=20), 140.0))
    folder.close()
    again = SpoolFolder(tmp_path, SETTINGS)
    (found,) = (again.read(entry) for entry in again.entries())
    assert found is not None
    corrected = again.corrected(found)
    assert corrected.sighting.utc == SEEN.utc + back
    assert corrected.crop is not None
    assert corrected.crop.began == SEEN.utc + back - timedelta(seconds=5)


def test_what_is_known_of_a_clock_goes_with_its_evidence(tmp_path: Path) -> None:
    folder = SpoolFolder(tmp_path, SETTINGS)
    entry = folder.add(seen_at(100.0, WRONG))
    assert entry is not None
    folder.note_correction(CORRECTION)
    folder.remove([entry])
    folder.close()
    SpoolFolder(tmp_path, SETTINGS).close()
    assert [p.name for p in tmp_path.iterdir()] == [".lock"]


def test_a_damaged_line_ends_what_is_known(tmp_path: Path) -> None:
    note_correction(tmp_path, CORRECTION)
    note_correction(tmp_path, CORRECTION)
    file = tmp_path / "a1.clock"
    file.write_text(file.read_text()[:-20])
    assert corrections_of(tmp_path, "a1") == [CORRECTION]
    file.write_bytes(b"\xff\xfe")
    assert corrections_of(tmp_path, "a1") == []
    assert corrections_of(tmp_path, "unknown") == []
