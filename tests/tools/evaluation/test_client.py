"""The prediction APIs over HTTP: a real server on loopback with tiny models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cloud_apis import tiny_models
from tools.bench.scenarios import free_port
from tools.evaluation import client, parts
from tools.evaluation.endtoend import NoAnswerError

IMAGE = np.zeros((416, 416, 3), np.uint8)
IMAGE[192:224, 192:224] = 255


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    models = tmp_path_factory.mktemp("models")
    tiny_models.write_all(models)
    tiny_models.write(models, "yolov3", tiny_models.yolov3(), anchors=tiny_models.ANCHORS, labels=["license-plate"])
    with client.server(parts.settings(None, models=models)) as started:
        yield started


@pytest.mark.parametrize("way", list(client.WAYS))
def test_all_ways_find_the_plate(url: str, way: str) -> None:
    with client.WAYS[way][1](url, None) as system:
        (seen,) = system(IMAGE)
        assert system(np.zeros_like(IMAGE)) == []
    assert seen.box == pytest.approx((208 - 207 / 2, 208 - 75 / 2, 208 + 207 / 2, 208 + 75 / 2), abs=1)
    assert seen.score > 0.9
    assert len(seen.read.characters) == len(seen.read.text)


@pytest.mark.parametrize("way", list(client.WAYS))
def test_a_refused_picture_is_no_answer(url: str, way: str) -> None:
    with client.WAYS[way][1](f"{url}/nowhere", None) as system, pytest.raises(NoAnswerError):
        system(IMAGE)


def test_a_server_names_its_models(url: str) -> None:
    said = client.models_of(url, None)
    assert said.startswith("yolov3 version 0-test, craft version 0-test")
    assert said.endswith(url)


def test_nobody_there_is_told() -> None:
    with pytest.raises(parts.PartError, match="no prediction APIs at"):
        client.models_of(f"http://127.0.0.1:{free_port()}", None)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(parts.PartError, match=re.escape(str(tmp_path))),
        client.server(parts.settings(None, models=tmp_path)),
    ):
        pass
