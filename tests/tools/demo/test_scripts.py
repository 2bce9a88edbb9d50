"""tools/demo.sh and tools/install.sh: as far as they go without installing anything."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

from cloud_apis.model_files import packaged_models

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPTS = ("tools/demo.sh", "tools/install.sh")
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")


def run(script: str, *arguments: str, cwd: Path = REPOSITORY, **env: str) -> subprocess.CompletedProcess[str]:
    assert BASH is not None
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DEMO_", "DASHCAM_", "CLOUD_"))}
    return subprocess.run(
        [BASH, str(REPOSITORY / script), *arguments],
        cwd=cwd,
        env=kept | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_sound(script: str) -> None:
    assert BASH is not None
    path = REPOSITORY / script
    assert os.access(path, os.X_OK)
    assert subprocess.run([BASH, "-n", str(path)], check=False).returncode == 0
    if (shellcheck := shutil.which("shellcheck")) is not None:
        found = subprocess.run([shellcheck, str(path)], capture_output=True, text=True, check=False)
        assert found.stdout == ""


@pytest.mark.parametrize("arguments", [["--help"], ["a.mp4", "b.mp4"], ["missing.mp4"]])
def test_the_demo_refuses_wrong_arguments(tmp_path: Path, arguments: list[str]) -> None:
    ended = run("tools/demo.sh", *arguments, cwd=tmp_path, DEMO_DIR=str(tmp_path / "demo"))
    assert ended.returncode == 2
    assert ended.stderr.startswith("demo: error: ")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(("name", "value"), [("DEMO_SECONDS", "long"), ("DEMO_RATE", "fast")])
def test_the_demo_refuses_wrong_variables(tmp_path: Path, name: str, value: str) -> None:
    ended = run("tools/demo.sh", cwd=tmp_path, DEMO_DIR=str(tmp_path / "demo"), **{name: value})
    assert ended.returncode == 2
    assert name in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["edge; rm"], ["edge", "cloud"], [""]])
def test_install_refuses_wrong_extras(arguments: list[str]) -> None:
    ended = run("tools/install.sh", *arguments)
    assert ended.returncode == 1
    assert "usage: tools/install.sh" in ended.stderr


@pytest.fixture
def bare_copy(tmp_path: Path) -> Path:
    """The repository as far as the installation reads it, without a .venv."""
    (tmp_path / "tools").mkdir()
    for name in ("tools/install.sh", "setup.cfg", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def _install(copy: Path, path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the copy with only those commands in reach that lie in `path`."""
    assert BASH is not None
    return subprocess.run(
        [BASH, str(copy / "tools" / "install.sh"), "edge"],
        env={"PATH": str(path), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def few_commands(tmp_path: Path) -> Path:
    """A folder with the commands of a bare system, without any Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "head", "tail", "cat", "cksum"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def _python(folder: Path, name: str, answers: str) -> None:
    """A Python that is as old or as incomplete as `answers`, a shell snippet over `$*`, makes it."""
    file = folder / name
    file.write_text(f"#!{BASH}\n{answers}\n", encoding="utf-8")
    file.chmod(0o755)


def test_install_says_how_to_get_python(bare_copy: Path, few_commands: Path) -> None:
    _python(few_commands, "apt-get", "exit 0")
    ended = _install(bare_copy, few_commands)
    assert ended.returncode == 1
    assert "no Python 3.11 or newer found: apt-get install python3 python3-venv" in ended.stderr


def test_install_passes_over_a_python_that_is_too_old(bare_copy: Path, few_commands: Path) -> None:
    _python(few_commands, "python3", "exit 1")
    ended = _install(bare_copy, few_commands)
    assert ended.returncode == 1
    assert "no Python 3.11 or newer found" in ended.stderr
    ended = _install(bare_copy, few_commands, PYTHON="python3")
    assert "PYTHON=python3 is not a Python 3.11 or newer" in ended.stderr


def test_install_says_when_venv_is_missing(bare_copy: Path, few_commands: Path) -> None:
    _python(few_commands, "apt-get", "exit 0")
    answers = 'case "$*" in *ensurepip*) exit 1;; *print*) echo 3.12;; *) exit 0;; esac'
    _python(few_commands, "python3.12", answers)
    ended = _install(bare_copy, few_commands)
    assert ended.returncode == 1
    assert "python3.12 cannot make virtual environments: apt-get install python3.12-venv" in ended.stderr


@pytest.mark.timeout(1200)  # rendering and inference on a machine that may be busy with other things
def test_the_demo_runs_from_rendered_video_to_reads(tmp_path: Path) -> None:
    if not all((packaged_models() / f"{name}.onnx").exists() for name in ("yolov3", "craft", "crnn")):
        pytest.skip("the trained models are not in cloud_apis/models")
    settings = {
        "DEMO_PYTHON": sys.executable,
        "DEMO_DIR": str(tmp_path / "demo"),
        "DEMO_SECONDS": "1.2",
        "DEMO_RATE": "full",
        "DEMO_NO_OPEN": "1",
        "PYTHONPATH": str(REPOSITORY),
    }
    ended = run("tools/demo.sh", cwd=tmp_path, **settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    folder = tmp_path / "demo"
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["captured"] == 36
    assert sum(summary["shown"].values()) == 36
    assert summary["out_of_order"] == 0
    with av.open(str(folder / "annotated.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 36
    reads = json.loads((folder / "reads.json").read_text(encoding="utf-8"))
    truth = {p["text"] for p in json.loads((folder / "drive" / "truth.json").read_text(encoding="utf-8"))["plates"]}
    assert truth & {read["text"] for read in reads}
    assert all(read["latitude"] is not None for read in reads)
    with sqlite3.connect(folder / "reads.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert "plates read exactly:" in ended.stdout
    assert "http://127.0.0.1:" in ended.stdout

    # Once more on a folder of pictures: the last results go, and that is said.
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    with av.open(str(folder / "drive" / "drive.mp4")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 10 == 0:
                Image.fromarray(frame.to_ndarray(format="rgb24")).save(pictures / f"{number:03d}.png")
    ended = run("tools/demo.sh", "pictures", cwd=tmp_path, **settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "overwriting in" in ended.stdout
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8"))["captured"] == 4
