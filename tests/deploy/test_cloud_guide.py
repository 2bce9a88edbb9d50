"""The operator's guide names commands and options that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

pytest.importorskip("ray", reason="the ray extra is not installed")

import deploy
from deploy.cli import main
from deploy.settings import load_settings

ROOT = Path(deploy.__file__).parent.parent
GUIDE = ROOT / "docs" / "cloud.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _blocks(language: str) -> list[str]:
    if not GUIDE.is_file():  # pragma: no cover - a package without its guide
        pytest.skip("the guide lies in the repository only")
    return [text for name, text in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")) if name == language]


def _commands() -> list[list[str]]:
    lines = [line for block in _blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line and line[0] == "cloud-deploy"]


def test_every_command_exists_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    commands = _commands()
    assert len(commands) > 8
    for words in commands:
        verbs = words[: 2 if words[0] in {"cluster", "models"} else 1]
        with pytest.raises(SystemExit) as ended:
            main([*verbs, "--help"])
        assert ended.value.code == 0, verbs
        told = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in told, (verbs, option)


def test_settings_in_the_guide_are_valid(tmp_path: Path) -> None:
    (text,) = _blocks("yaml")
    file = tmp_path / "deploy.yaml"
    file.write_text(yaml.safe_dump({"registry": {"url": "s3://bucket/plates"}, **yaml.safe_load(text)}))
    assert next(iter(load_settings(file).apis.values())).resources.gpus == 0.5


def test_files_that_the_guide_names_exist() -> None:
    links = re.findall(r"\]\((\.\./[^)#]+)\)", GUIDE.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (GUIDE.parent / link).resolve().exists(), link
