"""What the chapter about the device names is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from edge_client.cli import main
from edge_client.config import EdgeSettings
from edge_client.service.unit import ServiceSettings, service_unit
from tools.drive.cli import parser as drive_parser

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "device.md").read_text(encoding="utf-8")


def shell_words() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    lines = (
        re.sub(r"\s#.*", "", line).removeprefix("sudo ").split() for block in blocks for line in block.splitlines()
    )
    return [line for line in lines if line]


def test_its_settings_are_settings() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    settings = EdgeSettings.model_validate(yaml.safe_load(block))
    assert settings.apis.interface == "wwan0"
    for section, key in re.findall(r"`(\w+)\.(\w+)`", TEXT):
        if section in EdgeSettings.model_fields:
            model = EdgeSettings.model_fields[section].annotation
            assert key in getattr(model, "model_fields", {}), f"{section}.{key}"


@pytest.mark.parametrize("words", [w for w in shell_words() if w[0] == "dashcam"], ids=" ".join)
def test_its_commands_explain_themselves_with_these_options(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    nested = words[1] in ("reads", "recordings")
    with pytest.raises(SystemExit) as end:
        main([*words[1 : 3 if nested else 2], "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert [w for w in words if w.startswith("--") and w not in out] == []


def test_its_modules_and_files_are_there() -> None:
    for words in shell_words():
        if words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]) is not None
        if words[:3] == ["python", "-m", "tools.drive"]:
            drive_parser().parse_args(words[3:])
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / link).exists(), link


def test_its_anchors_are_headings() -> None:
    headings = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.+)$", TEXT, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings


def test_the_device_names_of_the_rules_are_those_of_the_chapter() -> None:
    rules = (ROOT / "edge_client" / "service" / "install.py").read_text(encoding="utf-8")
    for name in set(re.findall(r"/dev/(dashcam-\w+)", TEXT)):
        assert f'SYMLINK+="{name}"' in rules


def test_the_doctor_is_called_as_the_service_runs() -> None:
    (command,) = re.findall(r"systemd-run (.*?) dashcam doctor", TEXT.replace("\\\n", " "), re.DOTALL)
    properties = re.findall(r"-p (\S+)", command)
    assert {p.partition("=")[0] for p in properties} >= {"User", "EnvironmentFile", "Environment"}
    unit = service_unit(ServiceSettings("picamera", Path("/usr/bin/python3"), Path("/etc/dashcam/edge.yaml")))
    for wanted in properties:
        name, _, value = wanted.partition("=")
        said = [
            word for line in unit.splitlines() if line.startswith(f"{name}=") for word in line[len(name) + 1 :].split()
        ]
        assert value in said, wanted
