"""The disk's thread: durable soon, and never in anybody's way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import edge_client.recording.disk as disk_module
from edge_client.recording.disk import Disk
from edge_client.recording.library import recordings_in
from edge_client.recording.stock import Limits
from edge_client.recording.track import End
from tests.edge_client.recording.samples import HEAD, feed, frame, recorder, until

LIMITS = Limits(10**9, 0)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """By file name: how many bytes of it had been written when it was last made durable."""
    sizes: dict[str, int] = {}
    real: Callable[[int], None] = os.fdatasync

    def sync(handle: int) -> None:
        real(handle)
        sizes[Path(f"/proc/self/fd/{handle}").readlink().suffix] = os.fstat(handle).st_size

    monkeypatch.setattr(os, "fdatasync", sync)
    return sizes


def test_what_is_written_becomes_durable_though_nothing_follows(tmp_path: Path, synced: dict[str, int]) -> None:
    disk = Disk(tmp_path, LIMITS, 0.01)
    segment = disk.begin(HEAD)
    disk.append(segment, b"v" * 100, 3, "")
    assert until(lambda: synced.get(".mp4") == 100)
    head_bytes = synced[".jsonl"]
    disk.append(segment, b"v" * 50, 3, "{}\n")
    assert until(lambda: synced[".mp4"] == 150 and synced[".jsonl"] == head_bytes + 3)
    assert segment.durable
    assert disk.close(10.0)


def test_nothing_is_written_to_the_disk_below_when_the_folders_own_disk_goes(tmp_path: Path) -> None:
    """The mount point stays, an empty folder of another disk; a link to another file system stands for the mount."""
    folder, other = tmp_path / "rec", Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("only one file system here")
    with TemporaryDirectory(dir=other) as stick:
        folder.symlink_to(stick)
        disk = Disk(folder, LIMITS, 0.01)
        first = disk.begin(HEAD)
        assert until(lambda: first.name is not None)
        disk.end(first, End(0.0, 0, "end"))
        folder.unlink()
        folder.mkdir()
        second = disk.begin(HEAD)
        assert until(lambda: second.failure is not None)
        assert "has gone" in str(second.failure)
        assert list(folder.iterdir()) == []
        folder.rmdir()
        folder.symlink_to(stick)
        third = disk.begin(HEAD)
        assert until(lambda: third.name is not None)
        assert third.failure is None
        disk.end(third, End(0.0, 0, "end"))
        assert disk.close(10.0)


def test_it_becomes_durable_while_more_and_more_comes(tmp_path: Path, synced: dict[str, int]) -> None:
    disk = Disk(tmp_path, LIMITS, 0.01)
    segment = disk.begin(HEAD)
    seen = set()

    def grow() -> bool:
        disk.append(segment, b"v", 1, "")
        seen.add(synced.get(".mp4", 0))
        return len(seen) > 3

    assert until(grow)
    assert disk.close(10.0)


def test_a_disk_that_hangs_holds_up_neither_frames_nor_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()
    go_on = threading.Event()
    real: Callable[[int], None] = os.fdatasync

    def sync(handle: int) -> None:
        hangs.set()
        assert go_on.wait(20.0)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", sync)
    recording = recorder(tmp_path)
    recording.put(frame(0))
    assert hangs.wait(20.0)
    feed(recording, [frame(n) for n in range(1, 150)])
    assert recording.status().lost_frames == 0
    go_on.set()
    recording.close(20.0)
    assert sum(r.track.end.frames for r in recordings_in(tmp_path) if r.track.end) == 150


def test_what_a_hanging_disk_cannot_take_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_module, "_BACKLOG_BYTES", 4000)
    go_on = threading.Event()
    real: Callable[[int], None] = os.fdatasync

    def sync(handle: int) -> None:
        assert go_on.wait(20.0)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", sync)
    recording = recorder(tmp_path)
    feed(recording, [frame(n) for n in range(300)])
    assert until(lambda: recording.status().lost_frames > 50)
    go_on.set()
    recording.close(20.0)
    kept = sum(r.track.end.frames for r in recordings_in(tmp_path) if r.track.end)
    assert kept + recording.status().lost_frames == 300


def test_two_recordings_in_one_folder_leave_each_other_alone(tmp_path: Path) -> None:
    tight = Limits(3000, 0)
    first, second = Disk(tmp_path, tight, 0.01), Disk(tmp_path, tight, 0.01)
    one = first.begin(HEAD)
    assert until(lambda: one.name is not None)
    two = second.begin(HEAD)
    assert until(lambda: two.name is not None)
    for _ in range(8):
        first.append(one, b"1" * 500, 1, "")
        second.append(two, b"2" * 500, 1, "")
    assert until(lambda: bool(two.failure and one.failure))  # no room: neither removed what the other writes
    assert one.name is not None
    assert two.name is not None
    assert (one.name.number, two.name.number) == (1, 2)
    assert one.name.video(tmp_path).exists()
    assert two.name.video(tmp_path).exists()
    for disk, segment in ((first, one), (second, two)):
        disk.end(segment, End(1.0, 1, "end"))
        assert disk.close(10.0)


def test_a_lock_by_another_process_is_seen(tmp_path: Path) -> None:
    disk = Disk(tmp_path, LIMITS, 0.01)
    segment = disk.begin(HEAD)
    disk.append(segment, b"v", 1, "")
    assert until(lambda: segment.durable)
    assert segment.name is not None
    segment.name.lock(tmp_path).touch()
    disk.append(segment, b"v", 1, "")
    assert until(lambda: segment.locked)
    segment.name.lock(tmp_path).unlink()
    disk.append(segment, b"v", 1, "")
    assert until(lambda: not segment.locked)
    assert disk.close(10.0)
