"""Asking about vehicles in process and over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from cloud_apis.model_files import packaged_models
from cloud_apis.names import Api
from tools.evaluation.cli import main
from tools.evaluation.endtoend import NoAnswerError
from tools.evaluation.vehicle_sets import HAND_MADE
from tools.evaluation.vehicle_ways import InProcess, OverHttp, over_http
from tools.serving import served


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Blotches, BGR, without edges, which JPEG would change."""
    rng = np.random.default_rng(4)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_both_ways_see_nearly_the_same(picture: NDArray[np.uint8]) -> None:
    inside = InProcess(packaged_models())
    with over_http(None, None, None) as outside:
        found = {box.kind: box.score for box in outside.find(picture)}
        said = outside.describe(picture, (20, 20, 300, 220))
    for box in inside.find(picture):
        if box.score > 0.1:
            assert found[box.kind] == pytest.approx(box.score, abs=0.3)
    expected = inside.describe(picture, (20, 20, 300, 220))
    assert len(inside.times_ms) == 1
    by_make = {guess.label: guess.probability for guess in said.makes}
    assert by_make[expected.makes[0].label] == pytest.approx(expected.makes[0].probability, abs=0.2)
    assert len(said.colours) == 3 and len(said.makes) == len(said.models) == 5


def test_a_server_that_offers_no_vehicles_is_told(picture: NDArray[np.uint8]) -> None:
    with (
        served(apis=[Api.COLOURS]) as server,
        requests.Session() as session,
        pytest.raises(NoAnswerError, match="/vehicles: answer 404"),
    ):
        OverHttp(server.url, session).find(picture)


def test_the_command_judges_both_ways(shared_data: Path, tmp_path: Path) -> None:
    assert main(["attributes", "--limit", "2", "--json", str(tmp_path / "a.json")]) == 0
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert set(content) == {"in process, labelled boxes", "over HTTP", "ms"}
    for way in ("in process, labelled boxes", "over HTTP"):
        assert set(content[way]["vehicles"]) == {*HAND_MADE, "together"}
        assert content[way]["attributes"]["top"]["colour"]["of"] <= 2
