from __future__ import annotations

from pathlib import Path

from edge_client.recording.locks import lock_reason, lock_segment, unlock_segment
from edge_client.recording.names import SegmentName
from tests.edge_client.recording.samples import START

NAME = SegmentName.of(3, START)


def test_a_lock_keeps_its_first_reason_until_it_is_taken_away(tmp_path: Path) -> None:
    assert lock_reason(tmp_path, NAME) is None
    lock_segment(tmp_path, NAME, "brake")
    lock_segment(tmp_path, NAME, "again")
    assert lock_reason(tmp_path, NAME) == "brake"
    assert unlock_segment(tmp_path, NAME)
    assert not unlock_segment(tmp_path, NAME)
    assert lock_reason(tmp_path, NAME) is None


def test_a_mark_that_a_cut_left_empty_still_locks(tmp_path: Path) -> None:
    NAME.lock(tmp_path).touch()
    assert lock_reason(tmp_path, NAME) == ""
    NAME.lock(tmp_path).write_text("garbage")
    assert lock_reason(tmp_path, NAME) == ""
