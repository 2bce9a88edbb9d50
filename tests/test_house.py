"""The house itself: commands, package data, models, sizes, shipped settings and the README."""

from __future__ import annotations

import configparser
import hashlib
import importlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cloud_apis.settings import load_settings as load_api_settings
from edge_client.config_file import load_settings as load_edge_settings

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "cloud_apis" / "models"
NAMES = ("yolov3", "craft", "crnn", "vehicles", "attributes")
MEBIBYTE = 2**20
MEGABYTE = 10**6
# Put together here, so that this file does not hold what it forbids.
FORBIDDEN = tuple(
    "".join(parts)
    for parts in (("/wo", "rk/"), ("pypi", ".org"), ("python", "hosted.org"), ("npm", "js.org"), ("/opt/", "wheels"))
)


def scripts() -> dict[str, str]:
    """Console scripts and their `module:function`, from setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["options.entry_points"]["console_scripts"].strip().splitlines()
    return {name.strip(): target.strip() for name, target in (line.split("=") for line in lines)}


def tracked() -> list[Path]:
    """The files in git; the test is skipped outside a checkout."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def shell_lines() -> list[list[str]]:
    """The commands in the README's code blocks, split into words; comments and continued lines resolved."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).removeprefix("$ ").split() for line in joined.splitlines())
    return [line for line in lines if line]


def help_of(module: str, *subcommand: str) -> str:
    """What `--help` prints; fails when it does not end with 0."""
    result = subprocess.run(
        [sys.executable, "-m", module, *subcommand, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("name", ["dashcam", "cloud-apis", "cloud-deploy", "sample-inference"])
def test_a_command_exists_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, function = scripts()[name].split(":")
    main = getattr(importlib.import_module(module), function)
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert name in capsys.readouterr().out
    assert name in help_of(module.removesuffix(".cli"))


def test_the_wheel_holds_everything_that_runs_need(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for path in tracked():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed here")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", "."]
    built = subprocess.run(
        [*command, str(source)], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert built.returncode == 0, built.stderr
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    assert {f"cloud_apis/models/{n}{end}" for n in NAMES for end in (".onnx", ".json", ".md")} <= names
    assert {"config/edge.yaml", "config/apis.yaml"} <= names
    for folder in ("cloud_apis", "edge_client", "tools"):
        here = {str(p.relative_to(ROOT)) for p in tracked() if p.is_relative_to(ROOT / folder)}
        data = {p for p in here if p.endswith((".html", ".css", ".js", ".svg", ".py", ".yaml"))}
        assert data <= names
    assert not [n for n in names if n.startswith("tests/")]


def test_models_are_those_of_their_manifests_and_small() -> None:
    for name in NAMES:
        content = (MODELS / f"{name}.onnx").read_bytes()
        manifest = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))
        assert manifest["name"] == name
        assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
        assert manifest["precision"] in ("int8", "float32")
    sizes = {file.name: file.stat().st_size for file in MODELS.glob("*.onnx")}
    cars = sizes.pop("vehicles.onnx") + sizes.pop("attributes.onnx")
    assert cars <= 12 * MEGABYTE
    assert sum(sizes.values()) <= 15 * MEGABYTE


@pytest.mark.parametrize("name", NAMES)
def test_a_model_card_tells_where_the_model_comes_from(name: str) -> None:
    card = (MODELS / f"{name}.md").read_text(encoding="utf-8").lower()
    missing = [word for word in ("data", "licence", "seed", f"python -m tools.training.{name}") if word not in card]
    assert not missing


def test_no_tracked_file_is_large() -> None:
    large = [str(p.relative_to(ROOT)) for p in tracked() if p.stat().st_size > 20 * MEBIBYTE]
    assert not large


def test_readme_pictures_are_there_and_small() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures
    assert all((ROOT / p).stat().st_size < 300_000 for p in pictures)


def test_readme_begins_with_the_two_commands() -> None:
    first = [line[0] for line in shell_lines()[:2]]
    assert first == ["tools/demo.sh", "tools/test.sh"]


def test_what_the_readme_calls_exists() -> None:
    """Scripts, modules and the options of our own commands that the README names are there."""
    modules = {name: target.split(":")[0].removesuffix(".cli") for name, target in scripts().items()}
    nested = {"reads", "recordings", "models"}  # commands with commands of their own
    for words in shell_lines():
        command = words[0].removeprefix(".venv/bin/")
        if command.startswith("tools/"):
            assert (ROOT / command).is_file(), command
        elif command == "python" and words[1] == "-m":
            assert importlib.util.find_spec(words[2]) is not None, words
        if command in modules:
            subcommands = [w for w in words[1:3] if re.fullmatch(r"[a-z]+", w)][: 2 if nested & set(words) else 1]
            known = help_of(modules[command], *(subcommands if command != "sample-inference" else ()))
            options = {w.split("=")[0] for w in words if w.startswith("--")}
            assert not [o for o in options if o not in known], words


def test_shipped_settings_load() -> None:
    assert load_api_settings(ROOT / "config" / "apis.yaml") == load_api_settings()
    assert load_edge_settings(ROOT / "config" / "edge.yaml")


def test_modules_are_small() -> None:
    lengths = {
        str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines())
        for p in tracked()
        if p.suffix == ".py" and not p.is_relative_to(ROOT / "tests")
    }
    assert not {name: n for name, n in lengths.items() if n > 400}
    counts = sorted(lengths.values())
    assert counts[len(counts) // 2] < 120


def test_every_requirement_is_pinned() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = setup["options"]["install_requires"].split()
    for extra, lines in setup["options.extras_require"].items():
        if extra not in ("gpu", "pi"):
            wanted += lines.split("\n")
    names = {normal(re.split(r"[\[<>=!~; ]", w)[0]) for w in wanted if w and not w.startswith("#")}
    names.discard(setup["metadata"]["name"])
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", p) for p in pins if not p.startswith("#"))
    assert not names - {normal(p.split("==")[0]) for p in pins}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_tracked_file_names_a_registry_or_one_machine() -> None:
    found = {
        str(path.relative_to(ROOT)): word
        for path in tracked()
        if path.suffix not in (".onnx", ".png", ".jpg", ".webp", ".ttf", ".woff2")
        for word in FORBIDDEN
        if word.encode() in path.read_bytes()
    }
    assert not found
