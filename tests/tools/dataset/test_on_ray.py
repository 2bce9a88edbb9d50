"""The same steps on Ray Data: what comes out is what comes out here."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="Ray Data is not installed (extra `dataset`)")
pytest.importorskip("ray.data", reason="Ray Data is not installed (extra `dataset`)")

import pyarrow as pa

from tests.tools.dataset.catalogues import jpeg, scene, write
from tools.dataset.cli import main
from tools.dataset.looks import LookJob
from tools.dataset.manifest import File
from tools.dataset.on_ray import work_on_batch
from tools.dataset.outcomes import Outcome
from tools.dataset.running import work_on


def catalogue(root: Path) -> None:
    for i in range(30):
        write(root, f"a/b/2001/{i // 4}/{i:02d}.jpg", jpeg(scene(i)))
    write(root, "a/b/2001/8/broken.jpg", jpeg(scene(99))[:700])
    write(root, "a/b/2001/8/twice.jpg", jpeg(scene(3)))
    write(root, "a/b/2001/8/empty.jpg", b"")


def results(work: Path) -> list[tuple[object, ...]]:
    db = sqlite3.connect(work / "manifest.sqlite")
    rows = db.execute(
        "SELECT f.path, r.action, r.reason, r.other, l.phash, l.sha256 FROM files f JOIN results r ON r.file = f.id "
        "LEFT JOIN looks l ON l.file = f.id ORDER BY f.path"
    ).fetchall()
    db.close()
    return rows


def test_a_batch_is_worked_on_as_here(tmp_path: Path) -> None:
    catalogue(tmp_path)
    job = LookJob(os.fsencode(tmp_path))
    files = [File(i, str(p.relative_to(tmp_path)).encode()) for i, p in enumerate(sorted(tmp_path.rglob("*.jpg")))]
    batch = pa.table({"id": [f.id for f in files], "path": pa.array([f.path for f in files], pa.binary())})
    done = work_on_batch(batch, job)
    assert done["id"].to_pylist() == [file.id for file in files]
    assert [Outcome.from_text(text) for text in done["outcome"].to_pylist()] == [o for _, o in work_on(job, files)]


def test_a_ray_cluster_finds_the_same(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    catalogue(root)
    here, there = tmp_path / "here", tmp_path / "there"
    assert main(["repair", str(root), "--work", str(here), "--processes", "1"]) == 0
    assert main(["repair", str(root), "--work", str(there), "--ray", "local", "--processes", "1"]) == 0
    assert results(there) == results(here)


def test_a_ray_cluster_places_the_same(tmp_path: Path) -> None:
    root, work = tmp_path / "pictures", tmp_path / "work"
    catalogue(root)
    assert main(["repair", str(root), "--work", str(work), "--processes", "1"]) == 0
    assert main(["merge", "--work", str(work)]) == 0
    placed = []
    for name, spread in (("here", []), ("there", ["--ray", "local"])):
        split = ["split", "--work", str(work), "--least", "5", "--output", str(tmp_path / name), "--place", "link"]
        assert main([*split, "--processes", "1", *spread]) == 0
        files = {str(p.relative_to(tmp_path / name)): p.stat().st_ino for p in (tmp_path / name).rglob("*.jpg")}
        told = (tmp_path / name / "val.csv").read_text().replace(str(tmp_path / name), "")
        placed.append((files, told))
    assert placed[0] == placed[1]
    assert len(placed[0][0]) == 30


def test_an_absent_cluster_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "pictures"
    catalogue(root)
    assert main(["repair", str(root), "--work", str(tmp_path / "work"), "--ray", "127.0.0.1:1"]) == 1
    assert "does not answer" in capsys.readouterr().err
