"""Merge and split: classes by a table, no listing on two sides, shares met, few pictures left out."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.dataset.catalogues import jpeg, listings, scene, write
from tools.dataset.cli import main
from tools.dataset.errors import DatasetError, UsageError
from tools.dataset.manifest import File, Manifest
from tools.dataset.merging import merge, read_rules
from tools.dataset.outcomes import Job, Outcome
from tools.dataset.placing import place
from tools.dataset.running import Outcomes
from tools.dataset.splitting import Plan, parse_shares, share_out, split, to_split
from tools.dataset.statistics import TABLES, statistics


def run(*words: object) -> int:
    words = words if words[0] != "split" or "--processes" in words or "--ray" in words else (*words, "--processes", 1)
    return main([str(word) for word in words])


def classes(work: Path) -> dict[str, str]:
    db = sqlite3.connect(work / "manifest.sqlite")
    rows = db.execute("SELECT path, class FROM files WHERE class IS NOT NULL AND out_by IS NULL").fetchall()
    db.close()
    return {path.decode(): name for path, name in rows}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    root, work = tmp_path / "pictures", tmp_path / "work"
    listings(root, "vw/golf", 2010, 6, 2)
    listings(root, "vw/golf", 2011, 6, 2, first=10)
    listings(root, "vw/golf", 2014, 5, 2, first=20)
    listings(root, "vw/caddy", 2010, 2, 2, first=30)
    listings(root, "fiat/panda", 2010, 12, 2, first=40)
    write(root, "stray.jpg", jpeg(scene(77)))
    assert run("repair", root, "--work", work, "--processes", 1) == 0
    return work


def test_years_of_a_model_come_together(work: Path, tmp_path: Path) -> None:
    table = tmp_path / "classes.csv"
    table.write_text("make,model,years,class\nVW,Golf,2008-2012,VW Golf VI\nVW,Golf,2013-,VW Golf VII\nfiat,*,,\n")
    assert run("merge", "--work", work, "--table", table) == 0
    counts = Counter(classes(work).values())
    assert counts == {"VW Golf VI": 24, "VW Golf VII": 10, "vw caddy": 4}
    assert run("merge", "--work", work) == 1  # another table: only with --again
    assert run("merge", "--work", work, "--again") == 0
    assert Counter(classes(work).values()) == {"vw golf": 34, "vw caddy": 4, "fiat panda": 24}


def test_a_table_may_be_yaml_and_the_only_one(work: Path, tmp_path: Path) -> None:
    table = tmp_path / "classes.yaml"
    table.write_text(
        "- {make: fiat, model: panda, class: Panda}\n- {make: vw, model: golf, years: 2010, class: Golf}\n"
    )
    assert run("merge", "--work", work, "--table", table, "--only-table") == 0
    assert Counter(classes(work).values()) == {"Panda": 24, "Golf": 12}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("make,model,klass\nvw,golf,Golf\n", "line 2"),
        ("make,model,years,class\nvw,golf,then,Golf\n", "years are written"),
        ("make,model,years,class\nvw,golf,2012-2010,Golf\n", "years are written"),
    ],
)
def test_a_faulty_table_is_told(tmp_path: Path, text: str, told: str) -> None:
    table = tmp_path / "classes.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_rules(table)


def test_no_listing_lies_on_two_sides(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run("merge", "--work", work) == 0
    assert run("split", "--work", work, "--least", 10, "--output", out, "--place", "link") == 0
    sides: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for part in ("train", "val", "test"):
        with (out / f"{part}.csv").open() as stream:
            for row in csv.DictReader(stream):
                sides.setdefault(row["listing"], set()).add(part)
                counts[part] += 1
                assert Path(row["path"]).samefile(tmp_path / "pictures" / row["source"])
                assert Path(row["path"]).is_relative_to(out / part / row["class"])
    assert all(len(parts) == 1 for parts in sides.values())
    assert sum(counts.values()) == 58
    assert 0.6 <= counts["train"] / 58 <= 0.8
    assert min(counts["val"], counts["test"]) >= 6
    db = sqlite3.connect(work / "manifest.sqlite")
    left = db.execute("SELECT reason, COUNT(*) FROM results WHERE step = 'split' AND action = 'out' GROUP BY 1")
    assert dict(left.fetchall()) == {"few pictures": 4}
    db.close()


def test_the_same_catalogue_gives_the_same_parts(work: Path, tmp_path: Path) -> None:
    assert run("merge", "--work", work) == 0
    texts = []
    for name in ("first", "second"):
        assert run("split", "--work", work, "--least", 10, "--output", tmp_path / name, "--again") == 0
        texts.append((tmp_path / name / "train.csv").read_text())
    assert texts[0] == texts[1]


def test_new_listings_do_not_move_old_ones(work: Path, tmp_path: Path) -> None:
    assert run("merge", "--work", work) == 0
    assert run("split", "--work", work, "--least", 10) == 0
    db = sqlite3.connect(work / "manifest.sqlite")
    before = dict(db.execute("SELECT path, part FROM files WHERE part IS NOT NULL").fetchall())
    listings(tmp_path / "pictures", "vw/golf", 2012, 9, 2, first=60)
    assert run("repair", tmp_path / "pictures", "--work", work, "--processes", 1) == 0
    assert run("merge", "--work", work) == 0
    assert run("split", "--work", work, "--least", 10) == 0
    after = dict(db.execute("SELECT path, part FROM files WHERE part IS NOT NULL").fetchall())
    db.close()
    assert len(after) == len(before) + 18
    assert {path: after[path] for path in before} == before


def test_copies_and_statistics(work: Path, tmp_path: Path) -> None:
    assert run("merge", "--work", work) == 0
    assert run("split", "--work", work, "--least", 10, "--output", tmp_path / "set", "--place", "copy") == 0
    assert len(list((tmp_path / "set").rglob("*.jpg"))) == 58
    assert run("stats", "--work", work) == 0
    told = json.loads((work / "stats.json").read_text())
    assert told["files"] == 63
    assert {row["class"]: row["pictures"] for row in told["classes"]} == {"vw golf": 34, "fiat panda": 24}
    assert (work / "stats.png").stat().st_size > 1000


def test_a_class_that_has_grown_comes_back(work: Path, tmp_path: Path) -> None:
    command = ["split", "--work", work, "--least", 10]
    assert run("merge", "--work", work) == 0
    assert run(*command) == 0
    assert "vw caddy" not in classes(work).values()
    assert run(*command) == 0  # too small still
    assert "vw caddy" not in classes(work).values()
    listings(tmp_path / "pictures", "vw/caddy", 2010, 4, 2, first=80)
    assert run("repair", tmp_path / "pictures", "--work", work, "--processes", 1) == 0
    assert run("merge", "--work", work) == 0
    assert run(*command) == 0
    assert Counter(classes(work).values())["vw caddy"] == 12
    db = sqlite3.connect(work / "manifest.sqlite")
    told = "SELECT COUNT(*) FROM results WHERE step = 'split' AND action = "
    assert db.execute(f"{told} 'out'").fetchone() == (0,)
    assert db.execute(f"{told} 'kept'").fetchone() == (70,)
    assert db.execute("SELECT COUNT(*) FROM files WHERE part IS NOT NULL").fetchone() == (70,)
    db.close()


def test_groups_are_searched_by_an_index(work: Path, tmp_path: Path) -> None:
    table = tmp_path / "classes.csv"
    table.write_text("make,model,years,class\nfiat,*,,\n")
    told: list[str] = []
    with Manifest(work / "manifest.sqlite") as manifest:
        manifest.db.set_trace_callback(told.append)
        merge(manifest, read_rules(table))
        split(manifest, Plan(least_pictures=10))
        manifest.db.set_trace_callback(None)
        of_groups = [
            s for s in told if s.startswith(("UPDATE", "INSERT")) and ("make IS '" in s or "class = 'vw " in s)
        ]
        assert len(of_groups) == 2 * 5 + 2  # models and years, and the class that is too small
        for statement in of_groups:
            plan = [row[3] for row in manifest.db.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert not any(line.startswith("SCAN") for line in plan), (statement, plan)


def test_a_class_may_have_any_name(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "classes.csv"
    table.write_text("make,model,years,class\nvw,golf,,Golf [/x]\n")
    assert run("merge", "--work", work, "--table", table) == 0
    assert run("stats", "--work", work) == 0
    assert "Golf [/x]" in capsys.readouterr().out


def test_steps_on_the_manifest_alone_say_so(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = ("--ray", "127.0.0.1:1")  # which nothing connects to
    for step in (["merge"], ["split", "--least", 10], ["stats", "--dry-run"]):
        assert run(step[0], "--work", work, *step[1:], *nobody) == 0
        assert "works on the manifest alone, in this process" in capsys.readouterr().out
    assert run("split", "--work", work, "--least", 10, "--place", "link", *nobody) == 1
    assert "does not answer" in capsys.readouterr().err


def test_every_picture_counts_as_progress(work: Path, tmp_path: Path) -> None:
    done: list[int] = []
    with Manifest(work / "manifest.sqlite") as manifest:
        assert manifest.todo("merge") == 63
        merge(manifest, [], progress=done.append)
        assert sum(done) == 63
        assert len(done) > 3
        assert manifest.todo("merge") == 0
        for again in (False, True):  # those of the class that is too small come along each time
            done.clear()
            assert to_split(manifest) == 62
            split(manifest, Plan(least_pictures=10), again, done.append)
            assert sum(done) == 62
        done.clear()
        statistics(manifest, done.append)
        assert sum(done) == TABLES


def test_a_dry_run_of_each_step_writes_nothing(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, before = tmp_path / "set", (work / "manifest.sqlite").read_bytes()
    assert run("merge", "--work", work, "--dry-run") == 0
    assert (work / "manifest.sqlite").read_bytes() == before
    assert run("merge", "--work", work) == 0
    command = ["split", "--work", work, "--least", 10, "--output", out, "--place", "link", "--processes", 1]
    assert run(*command, "--dry-run") == 0
    assert f"{out}: 58 pictures would be linked" in capsys.readouterr().out
    assert not out.exists()
    assert run("stats", "--work", work, "--dry-run") == 0
    assert not (work / "stats.json").exists()
    assert run(*command) == 0
    assert run(*command, "--dry-run") == 0
    assert run(*command, "--dry-run", "--again", "--seed", 8) == 1  # told before anything is done
    assert "holds another split" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["link", "copy"])
def test_processes_place_as_one_does(work: Path, tmp_path: Path, way: str) -> None:
    assert run("merge", "--work", work) == 0
    told = []
    for processes in (1, 2):
        out = tmp_path / f"by-{processes}"
        command = ["split", "--work", work, "--least", 10, "--output", out, "--place", way]
        assert run(*command, "--processes", processes) == 0
        rows = "".join((out / f"{part}.csv").read_text() for part in ("train", "val", "test"))
        files = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.jpg")}
        assert len(files) == 58
        told.append((rows.replace(str(out), ""), files))
    assert told[0] == told[1]


@dataclass(frozen=True)
class Elsewhere:
    """A cluster whose machines have a disk of their own, or lose the picture's process."""

    target: bytes | None

    def run(self, job: Job, pages: Iterable[Sequence[File]]) -> Iterator[Outcomes]:
        for page in pages:
            yield [(file.id, Outcome("made", "gone", target=self.target)) for file in page]


@pytest.mark.parametrize(("target", "told"), [(b"/nowhere/1.jpg", "not here"), (None, "could not be placed")])
def test_what_was_placed_elsewhere_is_told(work: Path, tmp_path: Path, target: bytes | None, told: str) -> None:
    with Manifest(work / "manifest.sqlite") as manifest:
        merge(manifest, [])
        split(manifest, Plan(least_pictures=10))
        with pytest.raises(DatasetError, match=told):
            place(manifest, Elsewhere(target), tmp_path / "pictures", tmp_path / "set", "link", lambda _: None)


@pytest.mark.parametrize("way", ["list", "link", "copy"])
def test_parts_may_not_lie_among_the_pictures(
    work: Path, tmp_path: Path, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("merge", "--work", work) == 0
    out = tmp_path / "pictures" / "set"
    assert run("split", "--work", work, "--least", 10, "--output", out, "--place", way) == 2
    assert "may not lie among the pictures" in capsys.readouterr().err
    assert not out.exists()


def test_the_work_folder_may_lie_among_the_pictures(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    listings(root, "vw/golf", 2010, 6, 2)
    for _ in range(2):  # what lies in it is no picture of the catalogue
        assert run("repair", root, "--work", root / "work", "--processes", 1) == 0
        assert run("merge", "--work", root / "work") == 0
        assert run("split", "--work", root / "work", "--least", 10, "--place", "link") == 0
    assert len(classes(root / "work")) == 12


def test_another_split_is_not_laid_over_one(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    assert run("merge", "--work", work) == 0
    command = ["split", "--work", work, "--least", 10, "--output", out, "--place"]
    assert run(*command, "link", "--seed", 7) == 0
    before = sorted(out.rglob("*.*"))
    assert run(*command, "link", "--seed", 7) == 0
    for way in ("link", "copy", "list"):
        assert run(*command, way, "--seed", 8, "--again") == 1
        assert "holds another split: give an empty --output" in capsys.readouterr().err
        assert sorted(out.rglob("*.*")) == before
    assert run("merge", "--work", work, "--again") == 0
    (out / ".split").unlink()  # nobody knows which split it is of
    assert run(*command, "link", "--seed", 7) == 1
    assert run("split", "--work", work, "--least", 10, "--seed", 7) == 0
    assert run("split", "--work", work, "--least", 10, "--seed", 8, "--again") == 0  # lists are written anew


def test_a_listing_that_moves_with_the_same_settings_is_told(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run("merge", "--work", work) == 0
    command = ["split", "--work", work, "--least", 10, "--output", out, "--place", "link"]
    assert run(*command) == 0
    db = sqlite3.connect(work / "manifest.sqlite")
    before = dict(db.execute("SELECT path, part FROM files WHERE part IS NOT NULL").fetchall())
    listings(tmp_path / "pictures", "vw/golf", 2012, 9, 2, first=60)
    assert run("repair", tmp_path / "pictures", "--work", work, "--processes", 1) == 0
    assert run("merge", "--work", work) == 0
    assert run(*command, "--again") == 1
    after = dict(db.execute("SELECT path, part FROM files WHERE part IS NOT NULL").fetchall())
    db.close()
    assert any(after[path] != part for path, part in before.items())


@pytest.mark.parametrize("way", ["link", "copy"])
def test_what_is_no_longer_the_same_is_placed_anew(work: Path, tmp_path: Path, way: str) -> None:
    out = tmp_path / "set"
    assert run("merge", "--work", work) == 0
    command = ["split", "--work", work, "--least", 10, "--output", out, "--place"]
    assert run(*command, way) == 0
    stale, whole = sorted(out.rglob("*.jpg"))[:2]
    untouched = whole.stat().st_ino
    content = stale.read_bytes()
    stale.unlink()
    stale.write_bytes(content[:-1] + b"x")  # as long, but another
    assert run(*command, way) == 0
    assert stale.read_bytes() == content
    assert whole.stat().st_ino == untouched
    assert {p.stat().st_nlink for p in out.rglob("*.jpg")} == {2 if way == "link" else 1}
    other = "copy" if way == "link" else "link"
    assert run(*command, other) == 0
    assert {p.stat().st_nlink for p in out.rglob("*.jpg")} == {1 if way == "link" else 2}
    assert not list(out.rglob("*.part"))


def test_links_between_file_systems_are_told_to_be_copies(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev or not os.access(memory, os.W_OK):
        pytest.skip("there is no other file system")
    assert run("merge", "--work", work) == 0
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        out = Path(folder) / "set"
        assert run("split", "--work", work, "--least", 10, "--output", out, "--place", "link") == 1
    assert "take copies" in capsys.readouterr().err


def test_split_before_merge_is_told(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("split", "--work", work) == 1
    assert "run `merge` first" in capsys.readouterr().err


@given(st.lists(st.integers(1, 30), min_size=3, max_size=60), st.integers(0, 5))
def test_every_listing_gets_one_part_and_every_part_a_listing(sizes: list[int], seed: int) -> None:
    named = [(f"listing {i}", size) for i, size in enumerate(sizes)]
    parts = dict(share_out(named, Plan(seed=seed)))
    assert set(parts) == {name for name, _ in named}
    assert set(parts.values()) == {"train", "val", "test"}
    if len(sizes) >= 20:
        train = sum(size for name, size in named if parts[name] == "train")
        assert abs(train / sum(sizes) - 0.7) < 0.25


@pytest.mark.parametrize("text", ["70/20/20", "100", "0/50/50", "a/b/c", "120/-10/-10"])
def test_shares_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_shares(text)
