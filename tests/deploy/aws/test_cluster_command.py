"""`cloud-deploy cluster` from settings to machines: Ray's real launcher, EC2 (moto), and an ssh that only notes.

Nothing leaves this machine: the programs that would reach others are replaced by ones that note how they were called.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("ray.autoscaler._private.commands", reason="the ray extra is not installed")

from deploy.cli import main
from tests.deploy.conftest import credentials

FIGURES = ["--frames-per-core", "30", "--crops-per-core", "20"]
Write = Callable[[], Path]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that would reach other machines only note their arguments in this file."""
    log, folder = tmp_path / "calls", tmp_path / "bin"
    folder.mkdir()
    for name in ("ssh", "rsync", "aws", "session-manager-plugin"):
        (folder / name).write_text(f"#!/bin/sh\nprintf '%s\\n' \"{name} $*\" >> '{log}'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return log


def test_up_status_and_down(
    aws: Any, settings_file: Write, calls: Path, stated: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(settings_file())]
    assert main(["cluster", "up", "--yes", *config, "--cameras", "10"]) == 0
    token = Path(stated["token_file"])
    assert len(token.read_text()) == 64
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    told = calls.read_text()
    assert "RAY_AUTH_MODE=token" in told and "--head" in told
    assert "--document-name AWS-StartSSHSession" in told
    assert token.read_text() not in told
    # Everything is installed before Ray is started, and the token is there before both.
    assert told.index("auth_token") < told.index("pip install") < told.index("ray start")
    capfd.readouterr()

    assert main(["cluster", "status", "--json", *config]) == 0
    (head,) = json.loads(capfd.readouterr().out)
    assert (head["group"], head["machine"], head["state"]) == ("head", "c7i.large", "running")
    (machine,) = aws.describe_instances(InstanceIds=[head["name"]])["Reservations"][0]["Instances"]
    assert machine["IamInstanceProfile"]["Arn"] == stated["head_instance_profile"]
    assert machine["MetadataOptions"]["HttpTokens"] == "required"
    (group,) = aws.describe_security_groups(GroupIds=[stated["security_group"]])["SecurityGroups"]
    assert group["IpPermissions"] == []

    assert main(["cluster", "down", "--yes", *config]) == 0
    capfd.readouterr()
    assert main(["cluster", "status", *config]) == 0
    assert "no machine of" in capfd.readouterr().out


def test_a_dry_run_writes_the_configuration_and_starts_nothing(
    aws: Any, settings_file: Write, calls: Path, stated: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cluster", "up", "--dry-run", "--config", str(settings_file()), *FIGURES]) == 0
    told = capsys.readouterr()
    assert yaml.safe_load(told.out)["cluster_name"] == stated["cluster_name"]
    assert "USD an hour" in told.err and "as given" in told.err
    assert not calls.exists()
    assert not Path(stated["token_file"]).exists()
    assert aws.describe_instances(Filters=[{"Name": "tag:ray-cluster-name", "Values": [stated["cluster_name"]]}])[
        "Reservations"
    ] == []  # fmt: skip


def test_output_writes_it_for_the_user_alone(
    settings_file: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cluster.yaml"
    assert main(["cluster", "up", "--output", str(file), "--config", str(settings_file()), *FIGURES]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert yaml.safe_load(file.read_text())["head_node_type"] == "head"


def test_nothing_starts_without_a_yes(
    aws: Any, settings_file: Write, calls: Path, stated: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cluster", "up", "--config", str(settings_file()), *FIGURES]) == 2
    assert "repeat the command with --yes" in capsys.readouterr().err
    assert not calls.exists()
    assert not Path(stated["token_file"]).exists()


def test_machines_that_are_too_few_are_told_before(
    settings_file: Write, tmp_path: Path, stated: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    stated["workers"] = {"cpu": {"machine": "c7i.large"}}
    file = settings_file()
    settings = yaml.safe_load(file.read_text())
    settings["apis"] = {
        "yolov3": {"replicas": {"max": 9}},
        "crnn": {"resources": {"gpus": 1}},
    }
    file.write_text(yaml.safe_dump(settings))
    assert (
        main(["cluster", "up", "--output", str(tmp_path / "c.yaml"), "--config", str(file), *FIGURES, "--fps", "60"])
        == 0
    )
    told = capsys.readouterr().out
    assert "no machine has room for one copy of crnn (1 cores, 1 GPUs)" in told
    assert "the APIs ask for 10 cores at most, and the machines have 2" in told
    assert "too few for one camera" in told


def test_missing_programs_and_files_are_named_all_at_once(
    aws: Any, settings_file: Write, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "plates.pem").chmod(0o644)
    (files / "plate_dashcam-1.2.3-py3-none-any.whl").unlink()
    monkeypatch.setenv("PATH", str(files / "nowhere"))
    assert main(["cluster", "up", "--yes", "--config", str(settings_file()), *FIGURES]) == 1
    told = capsys.readouterr().err
    for part in (
        "there is no ssh here: install", "no rsync here", "no session-manager-plugin here",
        "others may read the private key", "there is no file", "target.package.requirement",
    ):  # fmt: skip
        assert part in told


def test_without_credentials_it_says_how_to_get_some(
    settings_file: Write, monkeypatch: pytest.MonkeyPatch, s3_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(["cluster", "status", "--config", str(settings_file())]) == 1
    assert "there are no AWS credentials: set AWS_PROFILE" in capsys.readouterr().err


def test_where_nothing_answers_it_says_so(
    settings_file: Write, monkeypatch: pytest.MonkeyPatch, unused_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["cluster", "status", "--config", str(settings_file())]) == 1
    assert "AWS does not answer" in capsys.readouterr().err


def test_another_target_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", "status"]) == 2
    assert "target.kind is ray: this command is for aws" in capsys.readouterr().err


def test_the_launcher_is_run_without_a_shell_and_its_failure_told(
    aws: Any, settings_file: Write, calls: Path, monkeypatch: pytest.MonkeyPatch, files: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    noted = files / "noted.json"
    launcher = files / "ray"
    launcher.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"json.dump([sys.argv, dict(os.environ)], open({str(noted)!r}, 'w'))\nsys.exit(3)\n"
    )
    launcher.chmod(0o755)
    monkeypatch.setattr("deploy.aws.launch.ray_program", lambda: str(launcher))
    assert main(["cluster", "up", "--yes", "--config", str(settings_file()), *FIGURES]) == 1
    assert "Ray's launcher failed (ray up ended with 3)" in capsys.readouterr().err
    (line, environment) = json.loads(noted.read_text())
    assert line[1:3] == ["up", "--yes"] and line[4:] == ["--no-config-cache", "--disable-usage-stats"]
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
    assert Path(environment["TMPDIR"]) == Path(line[3]).parent
    assert not Path(line[3]).exists()
