"""`dashcam install` below a folder of its own."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from edge_client.cli import main
from edge_client.config_file import load_settings
from edge_client.errors import DashcamError
from edge_client.service.install import Plan, PlannedFile, Step, run_commands, write_parts
from edge_client.service.writable import writable_folders

UNIT = "etc/systemd/system/dashcam.service"
LINK = "etc/systemd/system/multi-user.target.wants/dashcam.service"


def contents(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): p.read_text("utf-8") for p in root.rglob("*") if p.is_file() and not p.is_symlink()
    }


def install(root: Path, *words: str) -> int:
    return main(["install", "--root", str(root), *words])


def test_everything_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(tmp_path) == 0
    first = contents(tmp_path)
    assert set(first) == {
        UNIT,
        "etc/sysusers.d/dashcam.conf",
        "etc/tmpfiles.d/dashcam.conf",
        "etc/udev/rules.d/60-dashcam.rules",
        "etc/dashcam/edge.yaml",
        "etc/dashcam/environment",
    }
    assert str((tmp_path / LINK).readlink()) == f"/{UNIT}"
    assert stat.S_IMODE((tmp_path / "etc/dashcam/environment").stat().st_mode) == 0o600
    installed = load_settings(tmp_path / "etc/dashcam/edge.yaml")
    assert installed == load_settings(None, {"source": {"wait_for_camera": True}})
    capsys.readouterr()
    assert install(tmp_path) == 0
    assert contents(tmp_path) == first
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"kept"}


def test_what_the_owner_changed_stays_and_the_unit_follows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tmp_path)
    (tmp_path / "etc/dashcam/edge.yaml").write_text("reads:\n  file: /media/stick/reads.db\n", "utf-8")
    (tmp_path / "etc/dashcam/environment").write_text("DASHCAM_API_KEY=abc\n", "utf-8")
    capsys.readouterr()
    assert install(tmp_path, "picamera") == 0
    steps = {line.split()[1]: line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert steps[str(tmp_path / UNIT)] == "changed"
    assert steps[str(tmp_path / "etc/dashcam/edge.yaml")] == "kept"
    assert (tmp_path / "etc/dashcam/environment").read_text("utf-8") == "DASHCAM_API_KEY=abc\n"
    unit = (tmp_path / UNIT).read_text("utf-8")
    assert "ReadWritePaths=-/media/stick\n" in unit
    assert "-- picamera\n" in unit
    assert 'd "/media/stick" :0750 :dashcam :dashcam -' in (tmp_path / "etc/tmpfiles.d/dashcam.conf").read_text("utf-8")


def test_new_settings_may_draw_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(tmp_path / "new", "--fullscreen") == 0
    assert load_settings(tmp_path / "new/etc/dashcam/edge.yaml").window.full_screen
    assert "note" not in capsys.readouterr().out
    install(tmp_path / "old")
    capsys.readouterr()
    assert install(tmp_path / "old", "--fullscreen") == 0
    assert "set window.full_screen to true" in capsys.readouterr().out
    assert not load_settings(tmp_path / "old/etc/dashcam/edge.yaml").window.full_screen


def test_printing_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--print"]) == 0
    live = capsys.readouterr().out
    assert install(tmp_path, "--print", "/dev/video2") == 0
    out = capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert "-- /dev/video2" in out
    assert 'SYMLINK+="dashcam-gps"' in out
    assert "m dashcam dialout" in out
    assert "### runs: systemctl daemon-reload" in live
    assert "### runs" not in out


def test_secrets_are_not_taken_from_the_command_line_into_readable_files(tmp_path: Path) -> None:
    install(tmp_path)
    assert "KEY=" not in (tmp_path / UNIT).read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--user", "root"), "cannot run as 'root'"),
        (("--user", "a b"), "cannot run as"),
        (("--python", "python3"), "absolute paths"),
        (("--config", "edge.yaml"), "absolute paths"),
    ],
)
def test_wrong_wishes_are_told_in_one_line(
    tmp_path: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install(tmp_path, *words) == 2
    told = capsys.readouterr().err
    assert told.startswith("dashcam: error: ")
    assert message in told
    assert not list(tmp_path.iterdir())


def test_wrong_settings_are_not_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "etc/dashcam").mkdir(parents=True)
    (tmp_path / "etc/dashcam/edge.yaml").write_text("sauce: 1\n", "utf-8")
    assert install(tmp_path) == 2
    assert "did you mean source?" in capsys.readouterr().err
    assert not (tmp_path / UNIT).exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file where a folder should be", "utf-8")
    plan = Plan((PlannedFile(Path("/etc/x"), "text"),), (), ())
    with pytest.raises(DashcamError, match=r"cannot write .*/etc/x"):
        list(write_parts(plan, tmp_path))


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / ".x.new").write_text("left by a power cut", "utf-8")
    (tmp_path / "x").write_text("old", "utf-8")
    plan = Plan((PlannedFile(Path("/x"), "new", 0o600),), (), ())
    assert [step for _, step in write_parts(plan, tmp_path)] == [Step.CHANGED]
    assert [(p.name, p.read_text("utf-8")) for p in tmp_path.iterdir()] == [("x", "new")]


def test_commands_that_fail_are_told() -> None:
    plan = Plan((), (), (("true",), ("false",), ("no-such-command-here",), ("sh", "-c", "echo no >&2; exit 3")))
    assert [problem for _, problem in run_commands(plan)] == [None, "exit code 1", "No such file or directory", "no"]


def test_folders_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(
        "reads:\n  file: /var/lib/dashcam/reads.db\nrecord:\n  file: drive.mp4\napis:\n  embedded_log: /srv/log/a.log\n"
    )
    assert Path("/srv/log") in writable_folders(load_settings(file))
    assert not [f for f in writable_folders(load_settings(file)) if f.is_relative_to("/var/lib/dashcam")]


SYSUSERS = shutil.which("systemd-sysusers")


@pytest.mark.skipif(SYSUSERS is None, reason="systemd-sysusers is not installed here")
def test_the_account_has_the_groups_of_the_unit(tmp_path: Path) -> None:
    install(tmp_path)
    assert SYSUSERS is not None
    done = subprocess.run([SYSUSERS, f"--root={tmp_path}"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    members = re.findall(r"^(\w+):.*:dashcam$", (tmp_path / "etc/group").read_text("utf-8"), re.MULTILINE)
    groups = re.search(r"^SupplementaryGroups=(.*)$", (tmp_path / UNIT).read_text("utf-8"), re.MULTILINE)
    assert groups is not None
    assert sorted(members) == sorted(groups[1].split())
    assert "dashcam:x:" in (tmp_path / "etc/passwd").read_text("utf-8")


def test_each_rule_is_one_of_udev(tmp_path: Path) -> None:
    install(tmp_path)
    text = (tmp_path / "etc/udev/rules.d/60-dashcam.rules").read_text("utf-8").replace("\\\n", " ")
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(rules) >= 3
    for rule in rules:
        parts = re.split(r",\s+", rule)
        assert all(re.fullmatch(r'[A-Z]+(\{\w+\})?(==|\+=|=)"[^"]*"', part) for part in parts), rule
        assert any(part.startswith("ATTRS{idVendor}==") for part in parts)
        assert any(part.startswith('SYMLINK+="dashcam-') for part in parts)
