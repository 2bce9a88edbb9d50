"""What a cut leaves is made whole, wherever it struck."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_client.recording.files import open_segment
from edge_client.recording.fragments import Mp4Fragments
from edge_client.recording.library import recordings_in
from edge_client.recording.locks import lock_segment
from edge_client.recording.playable import playable_s
from edge_client.recording.repair import repair_all
from edge_client.recording.track import Moment, Point, line_of, read_track
from edge_client.types import UtcSource
from tests.edge_client.recording.samples import HEAD, START, packets


def write_segment(folder: Path) -> tuple[Path, Path]:
    """A segment of three fragments that never came to its end."""
    files = open_segment(folder, HEAD)
    given = packets(50)
    fragments = Mp4Fragments(given[0].video_format, given[0].monotonic_s)
    for number, packet in enumerate(given):
        files.write(fragments.add(packet), line_of(Point.of(Moment(number / 30, START, UtcSource.GPS), 0.0)))
    files.abandon("a cut")
    return files.name.video(folder), files.name.track(folder)


def test_a_torn_fragment_goes_and_the_rest_plays(tmp_path: Path) -> None:
    video, track = write_segment(tmp_path)
    content, lines = video.read_bytes(), track.read_bytes()
    third = content.rfind(b"moof") - 4
    for size in range(third, third + 200, 9):  # within the box of which players refuse a part
        video.write_bytes(content[:size])
        track.write_bytes(lines[: len(lines) - 20])
        (name,) = repair_all(tmp_path)
        assert name.number == 1
        assert playable_s(video) == pytest.approx(1.0, abs=0.001)
        (found,) = recordings_in(tmp_path)
        assert found.cut
        assert found.duration_s == pytest.approx(1.0, abs=0.001)
        assert found.track.end is not None
        assert found.track.end.frames == 30
        assert len(found.track.points) == 49
        assert repair_all(tmp_path) == []


def test_the_next_recording_does_not_wait_for_a_cut_segment_to_be_decoded(tmp_path: Path) -> None:
    """Its length and pictures are told by the container: bytes in place of the pictures change nothing."""
    video, _ = write_segment(tmp_path)
    content = bytearray(video.read_bytes())
    begin = content.find(b"mdat") + 4
    for place in range(begin + 8, content.find(b"moof", begin) - 4):
        content[place] = 0
    video.write_bytes(content)
    (name,) = repair_all(tmp_path)
    end = read_track(name.track(tmp_path)).end
    assert end is not None
    assert end.frames == 45
    assert end.duration_s == pytest.approx(1.5, abs=0.001)


def test_a_segment_of_which_nobody_makes_sense_stops_no_repair(tmp_path: Path) -> None:
    video, _ = write_segment(tmp_path)
    content = bytearray(video.read_bytes())
    moov = content.find(b"moov")
    content[moov + 4 : moov + 200] = b"\0" * 196
    video.write_bytes(content)
    second, _ = write_segment(tmp_path)
    (name,) = repair_all(tmp_path)
    assert name.video(tmp_path) == second
    assert video.exists()


def test_a_segment_without_a_picture_goes_unless_it_is_locked(tmp_path: Path) -> None:
    for content in (b"", b"\0\0"):
        video, track = write_segment(tmp_path)
        video.write_bytes(content)
        assert repair_all(tmp_path) == []
        assert list(tmp_path.iterdir()) == []
    video, track = write_segment(tmp_path)
    video.write_bytes(b"")
    (found,) = recordings_in(tmp_path)
    lock_segment(tmp_path, found.name, "keep")
    assert repair_all(tmp_path) == []
    assert track.exists()


def test_what_another_writes_is_left_alone(tmp_path: Path) -> None:
    files = open_segment(tmp_path, HEAD)
    assert repair_all(tmp_path) == []
    (found,) = recordings_in(tmp_path)
    assert found.open
    assert not found.cut
    files.abandon("the end")
