from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cloud_apis.errors import StartError
from cloud_apis.settings import ApiSettings, default_config, load_settings


def test_the_shipped_settings_are_valid_and_name_every_key() -> None:
    settings = load_settings()
    content = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    assert settings.model_dump() == content


def test_the_original_names_of_the_detector_are_kept() -> None:
    content = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    assert {"labels", "net_h", "net_w", "anchors", "obj_thresh", "nms_thresh"} <= content["yolov3"].keys()


def test_every_setting_is_described() -> None:
    def check(schema: dict[str, Any]) -> None:
        for name, field in schema.get("properties", {}).items():
            assert field.get("description"), name
        for nested in schema.get("$defs", {}).values():
            check(nested)

    check(ApiSettings.model_json_schema())


def changed(tmp_path: Path, section: str | None, key: str, value: object) -> Path:
    content = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    (content[section] if section else content)[key] = value
    file = tmp_path / "apis.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


ANCHORS = [6, 3, 12, 5, 20, 7, 23, 12, 41, 13, 31, 19, 62, 20, 45, 29, 65, 45, 100, 32, 128, 79, 307, 245]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        (None, "yolov4", {}),
        (None, "models", 3),
        (None, "catalogue", 3),
        (None, "catalogue", ["cars.csv"]),
        (None, "body_timeout_s", 0),
        (None, "body_timeout_s", "soon"),
        (None, "body_timeout_s", float("nan")),
        (None, "crnn", None),
        (None, "yolov3", []),
        ("yolov3", "thresh", 0.5),
        ("yolov3", "labels", []),
        ("yolov3", "labels", "license-plate"),
        ("yolov3", "labels", [1]),
        ("yolov3", "net_h", 400),
        ("yolov3", "net_w", 0),
        ("yolov3", "net_w", "416"),
        ("yolov3", "net_w", 416.5),
        ("yolov3", "anchors", ANCHORS[:-1]),
        ("yolov3", "anchors", [*ANCHORS, 1]),
        ("yolov3", "anchors", []),
        ("yolov3", "anchors", [0, *ANCHORS[1:]]),
        ("yolov3", "anchors", [*ANCHORS[2:], *ANCHORS[:2]]),
        ("yolov3", "obj_thresh", 1.5),
        ("yolov3", "obj_thresh", -0.1),
        ("yolov3", "obj_thresh", "high"),
        ("yolov3", "obj_thresh", True),
        ("yolov3", "nms_thresh", 2),
        ("yolov3", "workers", 0),
        ("yolov3", "queue", 0),
        ("yolov3", "queue", 1.5),
        ("yolov3", "batch", True),
        ("yolov3", "providers", []),
        ("craft", "workers", 2),
        ("craft", "threads", -1),
        ("crnn", "queue", "many"),
        ("crnn", "providers", [None]),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line_that_names_it(
    tmp_path: Path, section: str | None, key: str, value: object
) -> None:
    file = changed(tmp_path, section, key, value)
    with pytest.raises(StartError) as caught:
        load_settings(file)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    assert (f"{section}.{key}" if section else key) in message or "anchors must" in message


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", "yolov3: {", "- : -", "\tx: 1", "a: &a [*a]", "yolov3: !!python/name:os.system"]
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "apis.yaml"
    file.write_text(content)
    with pytest.raises(StartError) as caught:
        load_settings(file)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        load_settings(tmp_path / "absent.yaml")
    with pytest.raises(StartError, match="directory"):
        load_settings(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(StartError, match="not UTF-8"):
        load_settings(tmp_path / "binary.yaml")


def test_an_unknown_key_is_named_before_a_missing_one(tmp_path: Path) -> None:
    file = tmp_path / "apis.yaml"
    file.write_text("yolo: {}\n", encoding="utf-8")
    with pytest.raises(StartError, match="yolo: there is no such setting"):
        load_settings(file)
