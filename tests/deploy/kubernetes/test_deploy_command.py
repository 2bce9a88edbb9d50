"""`cloud-deploy deploy --output DIR`: from settings and a registry to files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytest.importorskip("ray", reason="the ray extra is not installed")

from deploy.cli import main
from deploy.registry.objects import Place
from deploy.registry.registry import Registry
from tests.deploy.conftest import write_model
from tests.deploy.kubernetes.schemas import check


@pytest.fixture
def config(place: Place, tmp_path: Path) -> Path:
    settings = {
        "registry": {"url": str(place), "endpoint_url": place.endpoint_url, "region": place.region},
        "api_key": "env:PLATES_KEY",
        "apis": {"yolov3": {}},
        "target": {"kind": "kubernetes", "image": "registry.example/plates:1.0", "workers": {"cpu": {}}},
    }
    file = tmp_path / "deploy.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


def test_models_are_named_by_what_the_registry_has(
    config: Path, registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, output = tmp_path / "models", tmp_path / "manifests"
    write_model(models, "yolov3", b"a network")
    line = ["deploy", "--config", str(config), "--models", str(models), "--output", str(output)]
    assert main(line) == 2
    assert "`cloud-deploy models push yolov3` first" in capsys.readouterr().err
    assert not output.exists()

    pushed = registry.push(models, "yolov3", ("latest",), lambda _: None)
    assert main([*line, "--target", "kubernetes"]) == 0
    told = capsys.readouterr().out
    assert "create secret generic plates --from-file api-key=FILE" in told
    objects = [one for file in sorted(output.iterdir()) for one in yaml.safe_load_all(file.read_text())]
    for one in objects:
        check(one)
    (service,) = [one for one in objects if one["kind"] == "RayService"]
    (application,) = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    assert application["args"]["models"] == [str(pushed.reference.pinned(pushed.descriptor.digest))]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "target kubernetes needs --output DIR"),
        (["--target", "ray", "--output", "x"], "target.kind is kubernetes, not ray"),
    ],
)
def test_what_does_not_go_together_is_refused(
    config: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--config", str(config), *options]) == 2
    assert words in capsys.readouterr().err


def test_another_target_writes_no_manifests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--output", str(tmp_path / "x")]) == 2
    assert "--output is for target kubernetes, and target.kind is ray" in capsys.readouterr().err


def test_a_file_that_is_no_text_is_left_alone(
    config: Path, registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, output = tmp_path / "models", tmp_path / "manifests"
    write_model(models, "yolov3", b"a network")
    registry.push(models, "yolov3", ("latest",), lambda _: None)
    output.mkdir()
    (output / "other.yaml").write_bytes(b"\xff\xfe")
    assert main(["deploy", "--config", str(config), "--models", str(models), "--output", str(output)]) == 2
    assert "other.yaml is not of this command" in capsys.readouterr().err
    assert (output / "other.yaml").read_bytes() == b"\xff\xfe"
