"""What is looked at after a kill, on files made for it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from edge_client.recording.playable import playable_s
from edge_client.recording.track import Head, line_of
from edge_client.types import UtcSource
from tools.crash.cli import main, summary
from tools.crash.device import Kill, look_at_reads, lost_of_recording, moments, recorded_until_s
from tools.crash.film import HEIGHT_PX, RATE_HZ, WIDTH_PX, write_film

STEM = "00000001_20260501T103000Z"
GOOD = Kill(3.0, 2, (), (), sound=True, recorded=True, lost_s=1.2)


def reads_file(path: Path, reads: list[tuple[str, str]]) -> Path:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE reads (uid TEXT, text TEXT)")
        connection.executemany("INSERT INTO reads VALUES (?, ?)", reads)
    connection.close()
    return path


def test_reads_that_were_reported_are_looked_for(tmp_path: Path) -> None:
    file = reads_file(tmp_path / "reads.db", [("a", "AA"), ("b", "BB"), ("b", "BB"), ("old", "CC")])
    assert look_at_reads(file, {"a": "AA", "b": "BB", "d": "DD"}) == (("d",), ("b",), True)
    assert look_at_reads(file, {"superseded": "CC"})[0] == ()


def test_a_torn_file_is_not_sound(tmp_path: Path) -> None:
    file = reads_file(tmp_path / "reads.db", [(f"{n:064}", "AA") for n in range(2000)])
    content = bytearray(file.read_bytes())
    content[8192:12288] = bytes(4096)
    file.write_bytes(content)
    assert not look_at_reads(file, {})[2]
    file.write_bytes(b"no database at all" * 400)
    assert look_at_reads(file, {"a": "AA"}) == (("a",), (), False)


def test_the_loss_is_from_the_last_picture_to_the_kill(tmp_path: Path) -> None:
    film = write_film(tmp_path / f"{STEM}.mp4", 2.0)
    assert playable_s(film) == pytest.approx(2.0, abs=0.1)
    assert recorded_until_s(tmp_path, film) is None  # no track
    assert lost_of_recording(tmp_path, set(), 70.0) is None
    head = Head("d", datetime(2026, 5, 1, tzinfo=UTC), UtcSource.SYSTEM, 60.0, WIDTH_PX, HEIGHT_PX, 30.0, "h264")
    film.with_suffix(".jsonl").write_text(line_of(head) + '{"kind": "po', "utf-8")
    assert lost_of_recording(tmp_path, set(), 63.5) == pytest.approx(1.5, abs=0.1)
    assert lost_of_recording(tmp_path, {film.name}, 63.5) is None  # of an earlier life
    film.write_bytes(b"")
    assert lost_of_recording(tmp_path, set(), 63.5) is None


def test_the_film_has_its_size_and_rate(tmp_path: Path) -> None:
    capture = cv2.VideoCapture(str(write_film(tmp_path / "film.mp4", 0.5)))
    good, picture = capture.read()
    assert good
    assert picture.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert capture.get(cv2.CAP_PROP_FPS) == RATE_HZ
    capture.release()


@pytest.mark.parametrize(
    ("kill", "good"),
    [
        (GOOD, True),
        (Kill(3.0, 2, ("a",), (), sound=True, recorded=True, lost_s=1.2), False),
        (Kill(3.0, 2, (), ("a",), sound=True, recorded=True, lost_s=1.2), False),
        (Kill(3.0, 2, (), (), sound=False, recorded=True, lost_s=1.2), False),
        (Kill(3.0, 2, (), (), sound=True, recorded=True, lost_s=2.4), False),
        (Kill(3.0, 2, (), (), sound=True, recorded=True, lost_s=None), False),
        (Kill(0.2, 0, (), (), sound=True, recorded=False, lost_s=None), True),
    ],
)
def test_what_may_be_lost(kill: Kill, good: bool) -> None:
    assert kill.good is good
    assert summary([kill, GOOD]).row_count == 8


def test_moments_follow_the_seed() -> None:
    assert moments(5, 1, 8.0) == moments(5, 1, 8.0) != moments(5, 2, 8.0)
    assert all(0 <= m <= 8 for m in moments(100, 3, 8.0))


@pytest.mark.parametrize(("arguments", "told"), [((), "reads"), (("device",), "--folder"), (("reads",), "--kills")])
def test_the_command_explains_itself(arguments: tuple[str, ...], told: str) -> None:
    command = [sys.executable, "-m", "tools.crash", *arguments, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert told in done.stdout


@pytest.mark.parametrize("arguments", [[], ["device", "--kills", "0"], ["nothing"]])
def test_wrong_usage_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
