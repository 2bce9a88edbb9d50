"""Repair: what is broken, empty, blank, small or double goes out, with its reason; nothing else, and none is lost."""

from __future__ import annotations

import os
import sqlite3
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.tools.dataset.catalogues import jpeg, scene, write
from tools.dataset import repair
from tools.dataset.cli import main
from tools.dataset.looks import LookJob
from tools.dataset.manifest import opened
from tools.dataset.scan import walk


def run(*words: object) -> int:
    return main([str(word) for word in words])


def reasons(work: Path, step: str = "repair") -> dict[str, str | None]:
    """What became of each file."""
    db = sqlite3.connect(work / "manifest.sqlite")
    rows = db.execute(
        "SELECT f.path, r.action, r.reason FROM files f JOIN results r ON r.file = f.id WHERE r.step = ?", (step,)
    )
    told = {path.decode(): reason if action == "out" else None for path, action, reason in rows}
    db.close()
    return told


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    sound = jpeg(scene(1))
    write(root, "a/b/2001/1/0.jpg", sound)
    write(root, "a/b/2001/1/1.jpg", sound)
    write(root, "a/b/2001/2/alike.jpg", jpeg(scene(1, 120, 90), 60))
    write(root, "a/b/2001/2/cut.jpg", jpeg(scene(2))[:900])
    write(root, "a/b/2001/2/empty.jpg", b"")
    write(root, "a/b/2001/2/page.png", b"<html>not found</html>")
    write(root, "a/b/2001/2/zeros.jpg", bytes(500))
    write(root, "a/b/2001/3/blank.jpg", jpeg(np.full((72, 96, 3), 200, np.uint8)))
    write(root, "a/b/2001/3/other.jpg", jpeg(scene(3)))
    write(root, "a/b/2001/3/small.jpg", jpeg(scene(4)[:20]))
    write(root, "a/b/2001/3/notes.txt", b"no picture")
    return root


EXPECTED = {
    "a/b/2001/1/0.jpg": None,
    "a/b/2001/1/1.jpg": "duplicate",
    "a/b/2001/2/alike.jpg": "alike",
    "a/b/2001/2/cut.jpg": "broken",
    "a/b/2001/2/empty.jpg": "empty",
    "a/b/2001/2/page.png": "broken",
    "a/b/2001/2/zeros.jpg": "empty",
    "a/b/2001/3/blank.jpg": "blank",
    "a/b/2001/3/other.jpg": None,
    "a/b/2001/3/small.jpg": "small",
}


@pytest.mark.parametrize("processes", [1, 2])
def test_every_file_gets_its_reason(root: Path, tmp_path: Path, processes: int) -> None:
    work = tmp_path / "work"
    before = {path: path.read_bytes() for path in root.rglob("*.*")}
    assert run("repair", root, "--work", work, "--processes", processes) == 0
    assert reasons(work) == EXPECTED
    assert {path: path.read_bytes() for path in root.rglob("*.*")} == before


def test_looking_and_comparing_show_their_progress(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("repair", root, "--work", tmp_path / "work", "--processes", 1) == 0
    told = capsys.readouterr().err
    assert "10/10" in told
    assert "28/28" in told


def test_exact_leaves_those_that_look_alike(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert run("repair", root, "--work", work, "--processes", 1, "--exact") == 0
    assert reasons(work) == EXPECTED | {"a/b/2001/2/alike.jpg": None}


def test_a_dry_run_writes_nothing(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work"
    assert run("repair", root, "--work", work, "--processes", 1, "--dry-run", "--quarantine") == 0
    assert "duplicate" in capsys.readouterr().out
    assert not work.exists()
    assert len([path for path in root.rglob("*.*") if path.is_file()]) == 11


def test_quarantine_moves_and_restore_moves_back(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    before = {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
    assert run("repair", root, "--work", work, "--processes", 1, "--quarantine") == 0
    kept = {path for path, reason in EXPECTED.items() if reason is None}
    assert {str(p.relative_to(root)) for p in root.rglob("*.*") if p.suffix != ".txt"} == kept
    away = work / "quarantine" / "repair"
    assert {str(p.relative_to(away)) for p in away.rglob("*.*")} == set(EXPECTED) - kept
    assert all(path.read_bytes() == before[path.relative_to(away)] for path in away.rglob("*.*"))
    assert run("repair", root, "--work", work, "--again") == 1  # first they must be moved back
    assert run("restore", "--work", work, "--step", "repair") == 0
    assert {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")} == before
    assert run("repair", root, "--work", work, "--processes", 1, "--again") == 0
    assert reasons(work) == EXPECTED


def test_new_and_changed_files_are_looked_at_later(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    write(root, "a/b/2001/3/other.jpg", b"spoilt")
    write(root, "a/b/2001/4/new.jpg", jpeg(scene(9)))
    write(root, "a/b/2001/4/old.jpg", jpeg(scene(1)))
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    later = {"a/b/2001/3/other.jpg": "broken", "a/b/2001/4/new.jpg": None, "a/b/2001/4/old.jpg": "duplicate"}
    assert reasons(work) == EXPECTED | later


@pytest.mark.parametrize("quarantine", [(), ("--quarantine",)])
def test_a_double_stays_when_the_first_is_spoilt(root: Path, tmp_path: Path, quarantine: tuple[str, ...]) -> None:
    work, first, double = tmp_path / "work", "a/b/2001/1/0.jpg", "a/b/2001/1/1.jpg"
    content = (root / first).read_bytes()
    command = ["repair", root, "--work", work, "--processes", 1, *quarantine]
    assert run(*command) == 0
    assert (root / double).exists() == (not quarantine)
    write(root, first, b"spoilt")
    assert run(*command, "--dry-run") == 0
    assert (root / double).exists() == (not quarantine)
    assert run(*command) == 0
    assert reasons(work) == EXPECTED | {first: "broken", double: None}
    assert (root / double).read_bytes() == content
    write(root, first, content)  # the first once more, and looked at as any new one
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    assert reasons(work) == EXPECTED


def test_what_is_gone_later_goes_out_and_comes_back(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, first, double = tmp_path / "work", "a/b/2001/1/0.jpg", "a/b/2001/1/1.jpg"
    repair_, split = ["repair", root, "--work", work, "--processes", 1], ["split", "--work", work, "--least", 1]
    split += ["--shares", "100/0/0", "--output", tmp_path / "set", "--place", "link"]
    write(root, "a/b/2001/4/whole.jpg", jpeg(scene(7)))
    assert run(*repair_, "--quarantine") == 0
    assert run("merge", "--work", work) == 0
    (root / first).rename(tmp_path / "aside.jpg")
    (root / "a/b/2001/3/other.jpg").rename(tmp_path / "other.jpg")
    assert run(*split) == 1
    told = capsys.readouterr().err
    assert first in told
    assert "file system" not in told
    assert run(*repair_) == 0
    assert "2 are gone" in capsys.readouterr().out
    gone = EXPECTED | {"a/b/2001/4/whole.jpg": None, double: None, first: "missing", "a/b/2001/3/other.jpg": "missing"}
    assert reasons(work) == gone
    assert run(*repair_) == 0  # nor are they found again, or those in quarantine missed
    assert "gone" not in capsys.readouterr().out
    assert reasons(work) == gone
    assert run("merge", "--work", work) == 0
    assert run(*split) == 0
    (tmp_path / "other.jpg").rename(root / "a/b/2001/3/other.jpg")  # as old and as long as it was
    assert run(*repair_) == 0
    assert reasons(work) == gone | {"a/b/2001/3/other.jpg": None}


def test_a_catalogue_whose_disk_is_away_is_not_forgotten(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    root.rename(tmp_path / "aside")
    root.mkdir()
    assert run("repair", root, "--work", work, "--processes", 1) == 1
    assert "is the disk there?" in capsys.readouterr().err
    assert reasons(work) == EXPECTED


def test_what_a_killed_run_has_moved_is_not_missed(root: Path, tmp_path: Path) -> None:
    work, moved = tmp_path / "work", "a/b/2001/2/cut.jpg"
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    target = work / "quarantine" / "repair" / moved
    target.parent.mkdir(parents=True)
    (root / moved).rename(target)
    assert run("repair", root, "--work", work, "--processes", 1, "--quarantine") == 0
    assert reasons(work) == EXPECTED
    assert run("restore", "--work", work, "--step", "repair") == 0
    assert (root / moved).exists()


def test_a_double_that_is_gone_from_the_quarantine_stays_out(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    command = ["repair", root, "--work", work, "--processes", 1, "--quarantine"]
    assert run(*command) == 0
    (work / "quarantine/repair/a/b/2001/1/1.jpg").unlink()
    write(root, "a/b/2001/1/0.jpg", b"spoilt")
    assert run(*command) == 0
    assert reasons(work) == EXPECTED | {"a/b/2001/1/0.jpg": "broken", "a/b/2001/2/alike.jpg": None}


def test_files_of_a_large_folder_come_in_order_and_are_let_go_of(tmp_path: Path) -> None:
    count = 4000
    names = [b"%05d_a_name_of_some_length.jpg" % i for i in range(count)]
    for name in reversed(names):
        write(tmp_path, f"flat/{name.decode()}", b"")
    tracemalloc.start()
    try:
        listed = sum(entry.path == b"flat/" + name for entry, name in zip(walk(tmp_path, tmp_path), names, strict=True))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert listed == count
    assert peak < 400 * count


def test_other_settings_are_refused_half_way(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work"
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    assert run("repair", root, "--work", work, "--processes", 1, "--least-px", 10) == 1
    assert "--again" in capsys.readouterr().err
    assert run("repair", root, "--work", work, "--processes", 1, "--least-px", 10, "--again") == 0
    assert reasons(work)["a/b/2001/3/small.jpg"] is None


def test_a_file_that_has_gone_is_told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    whole = repair.repair

    def vanished(*args: object, **options: object) -> None:
        (root / "a/b/2001/3/other.jpg").unlink()
        whole(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(repair, "repair", vanished)
    assert run("repair", root, "--work", work, "--processes", 1, "--quarantine") == 0
    assert reasons(work)["a/b/2001/3/other.jpg"] == "missing"


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_that_cannot_be_read_ends_the_step_and_it_goes_on(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    processes: int,
) -> None:
    work, whole, other = tmp_path / "work", repair.repair, root / "a/b/2001/3/other.jpg"
    command = ["repair", root, "--work", work, "--processes", processes]

    def folder_instead(*args: object, **options: object) -> None:
        other.rename(tmp_path / "other.jpg")
        other.mkdir()
        whole(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(repair, "repair", folder_instead)
    assert run(*command) == 1
    assert "other.jpg: Is a directory; the same command goes on" in capsys.readouterr().err
    other.rmdir()
    (tmp_path / "other.jpg").rename(other)
    monkeypatch.setattr(repair, "repair", whole)
    assert run(*command) == 0
    assert reasons(work) == EXPECTED


def test_a_file_too_large_for_memory_is_broken(tmp_path: Path) -> None:
    huge = write(tmp_path, "huge.jpg", jpeg(scene(1)))
    os.truncate(huge, 256_000_001)  # a hole: it takes no room
    outcome = LookJob(os.fsencode(tmp_path))(0, b"huge.jpg")
    assert (outcome.action, outcome.reason, outcome.detail) == ("out", "broken", "it has 256000001 bytes")


def test_names_that_are_no_text_are_files_too(tmp_path: Path) -> None:
    root, work = tmp_path / "pictures", tmp_path / "work"
    write(root, "a/b/2001/1/0.jpg", jpeg(scene(1)))
    odd = os.fsencode(root) + b"/a/b/2001/1/\xff\xfe.jpg"
    with open(odd, "wb") as stream:  # noqa: PTH123
        stream.write(b"")
    assert run("repair", root, "--work", work, "--processes", 1, "--quarantine") == 0
    assert os.listdir(os.fsencode(work) + b"/quarantine/repair/a/b/2001/1") == [b"\xff\xfe.jpg"]  # noqa: PTH208
    assert run("export", "--work", work) == 0
    assert "\\xff\\xfe.jpg" in (work / "manifest.csv").read_text()


def test_wrong_use_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work"
    assert run("repair", tmp_path / "nowhere", "--work", work) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert run("merge", "--work", work) == 1
    assert "run `repair PICTURES` first" in capsys.readouterr().err
    (tmp_path / "pictures").mkdir()
    assert run("repair", tmp_path / "pictures", "--work", work, "--layout", "{colour}/{name}") == 2


def test_a_number_of_processes_below_nothing_is_told_first(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    assert run("repair", root, "--work", work, "--processes", -2, "--again") == 2
    assert "--processes" in capsys.readouterr().err
    assert reasons(work) == EXPECTED


def test_two_commands_do_not_work_at_once(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(tmp_path / "work"):
        assert run("repair", root, "--work", tmp_path / "work") == 1
    assert "another command works" in capsys.readouterr().err
