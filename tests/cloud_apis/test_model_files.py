from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_apis.errors import StartError
from cloud_apis.model_files import load_model_file, packaged_models
from tests.cloud_apis import tiny_models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_models.write_all(tmp_path)


def test_a_model_comes_with_its_manifest(folder: Path) -> None:
    content, manifest = load_model_file(folder, "crnn")
    assert content == (folder / "crnn.onnx").read_bytes()
    assert (manifest.name, manifest.version) == ("crnn", "0-test")


@pytest.mark.parametrize("missing", ["crnn.onnx", "crnn.json"])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(StartError, match=f"{missing} does not exist"):
        load_model_file(folder, "crnn")


def test_a_changed_model_is_refused(folder: Path) -> None:
    with (folder / "crnn.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(StartError, match="SHA-256 differs"):
        load_model_file(folder, "crnn")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "crnn.json"),
        ('{"name": "crnn", "version": "1"}', "sha256: Field required"),
        (json.dumps({"name": "crnn", "version": "1", "sha256": "x"}), "sha256"),
        (json.dumps({"name": "craft", "version": "1", "sha256": "0" * 64}), "describes 'craft' instead of 'crnn'"),
    ],
)
def test_a_manifest_of_another_form_is_refused(folder: Path, manifest: str, message: str) -> None:
    (folder / "crnn.json").write_text(manifest)
    with pytest.raises(StartError, match=message) as caught:
        load_model_file(folder, "crnn")
    assert "\n" not in str(caught.value)


PLATES = ("yolov3", "craft", "crnn")
VEHICLES = ("vehicles", "attributes")


def test_the_models_that_are_shipped_are_what_their_manifests_say(trained_models: Path) -> None:
    assert trained_models == packaged_models()
    for name in PLATES + VEHICLES:
        load_model_file(trained_models, name)
        assert (trained_models / f"{name}.md").read_text(encoding="utf-8").strip()
    for names, most_mib in ((PLATES, 15), (VEHICLES, 12)):
        files = [file for name in names for file in trained_models.glob(f"{name}*.onnx")]
        assert sum(file.stat().st_size for file in files) <= most_mib * 2**20
