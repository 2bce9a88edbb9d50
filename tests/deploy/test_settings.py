from __future__ import annotations

from pathlib import Path

import pytest

from cloud_apis.names import Api
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
        (LEAST + "target: {kind: cloud}", "target: .*'ray', 'aws', 'kubernetes'"),
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
