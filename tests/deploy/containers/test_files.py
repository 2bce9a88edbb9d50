"""Dockerfiles and compose file, looked at without running them: linted, validated, hardened, without secrets."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "containers"
DOCKERFILES = sorted(FOLDER.glob("*.Dockerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions(file: Path) -> list[tuple[str, str]]:
    """Instructions and what follows them, continued lines joined, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    words = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(first.upper(), rest[0] if rest else "") for first, *rest in words]


def last_stage(file: Path) -> list[tuple[str, str]]:
    found = instructions(file)
    start = max(i for i, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_a_dockerfile_passes_the_linter(file: Path) -> None:
    beside = Path(sys.executable).with_name("hadolint")
    hadolint = str(beside) if beside.is_file() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (extra `dev`, on x86_64)")
    result = subprocess.run([hadolint, str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_an_image_runs_without_root_and_tells_its_health(file: Path) -> None:
    stage = last_stage(file)
    users = [value for name, value in stage if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
    assert any(name == "HEALTHCHECK" and "CMD" in value for name, value in stage)
    assert [value for name, value in stage if name == "ENTRYPOINT"][-1].startswith("[")


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_an_api_image_is_built_in_stages_from_pinned_versions(name: str) -> None:
    file = FOLDER / f"{name}.Dockerfile"
    assert sum(instruction == "FROM" for instruction, _ in instructions(file)) == 2
    installs = [value for instruction, value in instructions(file) if "pip install" in value]
    assert installs
    assert all("-c constraints.txt" in value for value in installs)
    shipped = [value for instruction, value in last_stage(file) if instruction in ("COPY", "ADD")]
    assert all(value.startswith("--from=build") for value in shipped)
    assert not [value for instruction, value in last_stage(file) if "pip " in value]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_no_layer_holds_a_secret(file: Path) -> None:
    for name, value in instructions(file):
        assert name != "ADD"
        if name in ("ENV", "ARG"):
            assert not re.search(r"secret|password|token|api_?key", value, re.IGNORECASE)
        if name == "COPY" and "--from" not in value:
            assert all((ROOT / part).exists() for part in value.split()[:-1])


def test_what_an_image_copies_is_let_through_and_nothing_else() -> None:
    """The last pattern of .dockerignore that fits decides; what is copied must pass, data and keys must not."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]

    def ignored(path: str) -> bool:
        out = False
        parents = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        for pattern in patterns:
            bare = pattern.lstrip("!").replace("**/", "*")
            if any(fnmatch.fnmatchcase(one, bare) for one in parents):
                out = not pattern.startswith("!")
        return out

    for path in ("setup.cfg", "constraints.txt", "cloud_apis/models/crnn.onnx", "config/apis.yaml", "deploy/cli.py"):
        assert not ignored(path)
    for path in (
        "tests/conftest.py",
        ".git/config",
        "runs/x",
        "deploy/containers/secrets/api_key",
        "edge_client/cli.py",
    ):
        assert ignored(path)
    assert ignored("cloud_apis/models/crnn.float32.onnx")
    assert ignored("cloud_apis/__pycache__/cli.pyc")


def test_the_compose_file_is_of_the_specification() -> None:
    spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed (extra `dev`)")
    text = yaml.safe_dump(COMPOSE).replace("${PLATE_PORT:-8080}", "8080")
    compose = spec.PyCompose.from_yaml(text)
    compose.validate()
    assert set(compose.service_names()) == {"store", "publish", "apis"}
    with pytest.raises(ValueError, match="network"):
        spec.PyCompose.from_yaml(text.replace("networks:\n  inside:", "networkz:\n  inside:")).validate_networks()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "privileged" not in service
    assert not [key for key in service.get("environment", {}) if re.search("KEY|SECRET_|TOKEN", key)]


def test_only_loopback_is_opened_and_the_store_stays_inside() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert SERVICES["store"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_the_apis_wait_for_their_models() -> None:
    assert SERVICES["apis"]["depends_on"] == {"publish": {"condition": "service_completed_successfully"}}
    assert SERVICES["publish"]["depends_on"] == {"store": {"condition": "service_healthy"}}
    assert {name for service in SERVICES.values() for name in service["secrets"]} == set(COMPOSE["secrets"])
