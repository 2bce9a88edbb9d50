"""Parts of the command: times, progress, the summary, names of sources."""

from __future__ import annotations

import argparse
import io
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.commands.found import FoundReads
from edge_client.commands.moments import parse_moment
from edge_client.commands.outputs import name_of
from edge_client.commands.progress import Progress, progress_line
from edge_client.commands.summary import print_summary, write_atomically, write_summary
from edge_client.errors import DashcamError, StoreError
from edge_client.store.location import default_reads_file, reads_file
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.samples import read


class Terminal(io.StringIO):
    """A text file that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T10:30", datetime(2026, 5, 1, 10, 30, tzinfo=UTC)),
        ("2026-05-01T10:30Z", datetime(2026, 5, 1, 10, 30, tzinfo=UTC)),
        ("2026-05-01T10:30+02:00", datetime(2026, 5, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


def test_moments_as_long_ago() -> None:
    for text, span in (("90m", timedelta(minutes=90)), ("24h", timedelta(hours=24)), ("2w", timedelta(weeks=2))):
        assert abs(datetime.now(UTC) - span - parse_moment(text)) < timedelta(minutes=1)
    for text in ("", "h", "-1h", "99999999999w", "999999w", "2026-13-01", "0x1h", "0001-01-01T00:00+05:00"):
        with pytest.raises(argparse.ArgumentTypeError):
            parse_moment(text)


def test_the_line_tells_the_counters() -> None:
    line = progress_line(STATUS)
    for part in ("9 frames", "24.5/s", "2 reads", "3/8", "1 dropped", "crnn down: no answer"):
        assert part in line
    quiet = replace(STATUS, apis={"yolov3": "ok"}, summary=replace(STATUS.summary, dropped={}))
    assert "dropped" not in progress_line(quiet)
    assert "ok" not in progress_line(quiet)


def test_a_terminal_gets_a_line_in_place_and_messages_above_it() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for file in (terminal, pipe):
        with Progress(file, verbose=False) as progress:
            progress.update(STATUS)
            logging.getLogger("edge_client.anything").warning("the disk is slow")
            logging.getLogger("edge_client.anything").info("a note")
            logging.getLogger("edge_client.anything").debug("a detail")
        logging.getLogger("edge_client.anything").warning("afterwards")
    assert pipe.getvalue() == "dashcam: warning: the disk is slow\ndashcam: a note\n"
    assert "\r\x1b[Kdashcam: warning: the disk is slow\n9 frames" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_the_summary_file(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, STATUS.summary)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "captured": 10,
        "shown": {"annotated": 6, "carried": 2, "plain": 1},
        "dropped": {"late": 1},
        "in_flight": 0,
        "out_of_order": 0,
        "frame_age_s": {"p50": 0.1, "p99": 0.4},
        "requests": {"yolov3": {"sent": 9, "failed": 0}},
        "reads": 2,
        "uplink": {},
        "spool": {},
        "left_plates": {},
        "vehicles": {},
    }
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]
    with pytest.raises(DashcamError, match="cannot write the summary"):
        write_summary(tmp_path / "none" / "summary.json", STATUS.summary)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        write_atomically(path, "text")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_the_table_names_reads_and_their_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reads = [read(f"r{n}", "[bold]B1", place=(45.75, 21.22) if n else None) for n in range(33)]
    print_summary(STATUS.summary, reads, tmp_path / "reads.db", "on: 9 frames in out.mp4")
    out = capsys.readouterr().out
    assert "dropped, late" in out
    assert out.count("[bold]B1") == 30  # as text, not as markup
    assert "3 earlier ones" in out
    assert "45.75000 N 21.22000 E" in out
    assert "reads.db" in out


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/home/me/drives/day.avi", "day.avi"),
        ("drives/", "drives"),
        ("/dev/video0", "video0"),
        ("rtsp://me:secret@10.0.0.4:554/stream?token=abc", "rtsp://10.0.0.4:554"),
        ("/", "/"),
    ],
)
def test_the_page_names_the_source_without_secrets(source: str, name: str) -> None:
    assert name_of(source) == name


def test_the_default_reads_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_reads_file() == tmp_path / "data" / "dashcam" / "reads.db"
    assert reads_file(Path("mine.db")) == Path("mine.db")
    assert not (tmp_path / "data").exists()
    assert reads_file(None).parent.is_dir()
    monkeypatch.setenv("XDG_DATA_HOME", "/dev/null/data")
    with pytest.raises(StoreError, match="--reads FILE"):
        reads_file(None)


def test_of_a_long_drive_the_last_reads_and_their_number_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = FoundReads()
    for n in range(3000):
        found.add(read(f"r{n}", f"B{n:04d}"))
        found.add(read(f"r{n}", f"C{n:04d}"))  # a better vote of the same one
    found.add(read("r2998", "D2998", supersedes=("r2999",)))
    found.remove("r2990")
    assert found.count == 2998
    assert len(found.last) == 28
    assert [r.text for r in found.last[-2:]] == ["C2997", "D2998"]
    assert {r.crop_jpeg for r in found.last} == {b""}
    assert len(found._recent) <= 1000
    print_summary(STATUS.summary, found.last, tmp_path / "reads.db", None, count=found.count)
    out = capsys.readouterr().out
    assert "… and 2970 earlier ones" in out
    assert "2998 reads of this drive" in out
