from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
import yaml
from pydantic import BaseModel

from cloud_apis.names import Api
from deploy.cli import main
from deploy.errors import SettingsError
from deploy.settings import DeploySettings, default_config, load_settings

LEAST = "registry: {url: 's3://bucket/x'}\napis: {yolov3: {}}\n"


def test_the_shipped_file_is_valid_and_states_the_defaults() -> None:
    shipped = load_settings()
    assert set(shipped.apis) == {"yolov3", "crnn"}
    least = shipped.apis[Api.CRNN].model_copy(update={"replicas": shipped.apis[Api.CRNN].replicas, "models": {}})
    stated = shipped.apis[Api.YOLOV3].model_copy(update={"models": {}})
    assert stated == least
    assert [str(r) for r in stated.references(Api.CRNN)] == ["craft:latest", "crnn:latest"]
    assert default_config().name == "deploy.yaml"


def test_the_least_file(tmp_path: Path) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(LEAST)
    settings = load_settings(file)
    assert isinstance(settings, DeploySettings)
    assert settings.apis[Api.YOLOV3].replicas.max == 1
    assert str(settings.registry.place()) == "s3://bucket/x"
    assert settings.cluster().address == "http://127.0.0.1:8265"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "the file"),
        ("apis: {yolov3: {}}", "registry: Field required"),
        (LEAST + "replicas: 2", "replicas: there is no such setting"),
        (LEAST.replace("{}", "{replicas: {min: 3, max: 2}}"), "apis.yolov3.replicas: min is 3 and max 2"),
        (LEAST.replace("{}", "{models: {yolov3: 'yolov3@md5:1'}}"), "apis.yolov3.models: .*names no model"),
        (LEAST.replace("{}", "{models: {yolov3: crnn}}"), "yolov3 cannot be the model crnn:latest"),
        (LEAST.replace("{}", "{models: {crnn: crnn}}"), "has no use for a model crnn"),
        (LEAST.replace("yolov3", "other"), "apis.other"),
        (LEAST.replace("s3://", "http://"), "registry.url: .*s3://BUCKET/PREFIX"),
        (LEAST + "api_key: my-secret", "write where the key is"),
        (LEAST.replace("{}", "{providers: [CUDAExecutionProvider]}"), "resources.gpus is 0: give it a GPU"),
        (
            LEAST.replace("{}", "{providers: [CPUExecutionProvider, CUDAExecutionProvider]}"),
            "providers has CUDAExecutionProvider and",
        ),
        (LEAST + "target: {kind: cloud}", "target: .*'ray', 'aws', 'kubernetes'"),
        (LEAST.replace("{}", "{replicas: {min: true}}"), "apis.yolov3.replicas.min: Input should be a valid integer"),
        (LEAST.replace("{}", "{replicas: {max: '3'}}"), "apis.yolov3.replicas.max: Input should be a valid integer"),
        (LEAST.replace("{}", "{threads: 2.0}"), "apis.yolov3.threads: Input should be a valid integer"),
        (LEAST.replace("{}", "{resources: {cpus: '1'}}"), "apis.yolov3.resources.cpus: Input should be a valid number"),
        (LEAST + "registry: {url: 's3://other/x'}\n", "not valid YAML: 'registry' stands there twice"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read the settings"):
        load_settings(tmp_path / "none.yaml")


def _other_targets() -> list[str]:
    """The targets that stand as comments in the shipped file."""
    blocks: list[list[str]] = []
    within = False
    for line in default_config().read_text(encoding="utf-8").splitlines():
        if line == "#target:":
            blocks.append([])
            within = True
        within = within and line.startswith("#")
        if within:
            blocks[-1].append(line.removeprefix("#"))
    return ["\n".join(block) + "\n" for block in blocks]


KEYS = {"aws": "file:~/.config/plates/api-key", "kubernetes": "env:PLATES_API_KEY"}


@pytest.mark.parametrize("text", _other_targets())
def test_the_targets_in_comments_are_valid_and_state_every_key_with_its_default(tmp_path: Path, text: str) -> None:
    stated = yaml.safe_load(text)["target"]
    file = tmp_path / "deploy.yaml"
    file.write_text(f"{LEAST}api_key: {KEYS[stated['kind']]}\n{text}")
    target = load_settings(file).target
    assert target.kind == stated["kind"]
    _assert_complete(target, stated)


def test_both_other_targets_are_shown() -> None:
    assert [yaml.safe_load(text)["target"]["kind"] for text in _other_targets()] == ["aws", "kubernetes"]


EXAMPLES = {"redis", "ingress", "min", "max", "cpus", "memory_gb"}
"""Keys that the file shows with a value of their own, since the default (none, or one) would show nothing."""


def _assert_complete(section: BaseModel, stated: Mapping[str, object]) -> None:
    fields = type(section).model_fields
    assert set(stated) == set(fields)
    for name, field in fields.items():
        assert field.description
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            _assert_complete(value, cast("Mapping[str, object]", stated[name]))
        elif isinstance(value, Mapping) and any(isinstance(one, BaseModel) for one in value.values()):
            for key, one in value.items():
                _assert_complete(one, cast("Mapping[str, Mapping[str, object]]", stated[name])[key])
        elif name not in EXAMPLES and not field.is_required() and field.default not in (None, value):
            raise AssertionError(f"{name} is {value!r} and by default {field.default!r}")


AWS = "api_key: file:~/key\n" + "".join(t for t in _other_targets() if "kind: aws" in t)
KUBERNETES = "api_key: env:KEY\n" + "".join(t for t in _other_targets() if "kind: kubernetes" in t)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("target: {kind: ray, http_host: 0.0.0.0}", "which others reach: set api_key"),
        (AWS.replace("file:~/key", "null"), "set api_key"),
        (AWS.replace("sg-0123456789abcdef0", "default"), "target.aws.security_group"),
        (AWS.replace("subnet-0123456789abcdef0", "subnet-1; rm -r ~"), "target.aws.subnets"),
        (AWS.replace("    cpu:", "    head:"), "cannot be called head"),
        (AWS.replace("http_port: 8000", "http_port: 8001"), "target.aws.http_port: .* port 8000 alone"),
        (AWS.replace("min: 1", "min: 9"), "min is 9 and max 4"),
        (AWS + "  colour: red\n", "target.aws.colour: there is no such setting"),
        (KUBERNETES.replace("env:KEY", "file:/key"), "api_key as env:NAME"),
        (KUBERNETES.replace("plates:0.1.0", "plates:latest"), "NAME:TAG .not latest."),
        (KUBERNETES.replace("plates:0.1.0", "plates"), "NAME:TAG .not latest."),
        (KUBERNETES.replace("namespace: plates", "namespace: Plates"), "target.kubernetes.namespace"),
    ],
)
def test_a_wrong_target_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(LEAST + text)
    with pytest.raises(SettingsError, match=words):
        load_settings(file)


@pytest.mark.parametrize(
    "text",
    [
        LEAST.replace("s3://bucket", "s3://key:hush@bucket"),
        LEAST.replace("s3://bucket", "s3://key:hu/sh@bucket"),
        LEAST.replace("}\n", ", endpoint_url: 'https://key:hush@s3.example'}\n", 1),
        LEAST + "target: {kind: ray, address: 'https://me:hush@ray.example'}",
        LEAST + "target: {kind: ray, public_url: 'https://me:hush@plates.example.org'}",
        LEAST + AWS.replace("index_url: null", "index_url: https://me:hush@pip.example/simple"),
    ],
)
def test_secrets_in_urls_are_refused_and_not_shown(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(text)
    assert main(["cluster", "up", "--dry-run", "--config", str(file)]) == 2
    told = "".join(capsys.readouterr())
    assert "a URL with a user or password in it is refused" in told
    assert "hu" not in told.replace(str(file), "") and told.count("\n") == 1


def test_secrets_in_options_are_refused_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for place in (["s3://key:hush@b/p"], ["s3://b", "--endpoint-url", "http://key:hush@127.0.0.1:9000"]):
        assert main(["models", "ls", "--registry", *place]) == 2
        told = "".join(capsys.readouterr())
        assert "is refused" in told and "hush" not in told


@pytest.mark.parametrize(
    "text",
    [
        LEAST + "target: {kind: ray, public_url: plates.example.org}",
        LEAST.replace("}\n", ", endpoint_url: '127.0.0.1:9000'}\n", 1),
        LEAST + "target: {kind: ray, address: '127.0.0.1:8265'}",
    ],
)
def test_addresses_are_urls(tmp_path: Path, text: str) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="is no URL of a server: write http://HOST:PORT"):
        load_settings(file)


def test_manifests_have_no_address(tmp_path: Path) -> None:
    file = tmp_path / "deploy.yaml"
    file.write_text(LEAST + KUBERNETES)
    with pytest.raises(SettingsError, match="needs a cluster's address"):
        load_settings(file).cluster()
