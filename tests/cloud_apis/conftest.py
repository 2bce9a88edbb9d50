"""Fixtures of the prediction APIs' tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cloud_apis.model_files import packaged_models
from cloud_apis.web.app import create_app
from tests.cloud_apis import tiny_models
from tests.cloud_apis.serving import running, tiny_settings

# How fast examples come depends on the machine's load, and time decides no test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny models of the true form."""
    return tiny_models.write_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def url(models: Path) -> Iterator[str]:
    """A running server without a key, over tiny models."""
    with running(create_app(tiny_settings(models))) as address:
        yield address


@pytest.fixture(scope="session")
def trained_models() -> Path:
    """The folder of the trained models; the test is skipped while they are not there."""
    folder = packaged_models()
    if not all((folder / f"{name}.onnx").exists() for name in ("yolov3", "craft", "crnn")):
        pytest.skip("the trained models are not in cloud_apis/models")
    return folder
