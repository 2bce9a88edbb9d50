"""The fitted scorer: the fit finds what can be found, and files that are none are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.dataset.errors import DatasetError
from tools.dataset.filtering import SCORERS, load_scorer
from tools.dataset.scoring.__main__ import main
from tools.dataset.scoring.fitting import area_under_curve, fit
from tools.dataset.scoring.plain import PlainFeatures
from tools.dataset.scoring.samples import samples
from tools.dataset.scoring.scorer import load_fit, save_fit, shipped_fit
from tools.dataset.scoring.vehicles import VehicleFeatures


def test_a_fit_separates_what_can_be_separated(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    is_car = np.arange(600) % 3 == 0
    features = noise.normal(size=(600, 5))
    features[:, 2] += 3.0 * is_car
    fitted = fit(features, is_car, ridge=1.0)
    probability = fitted.probability(features)
    assert area_under_curve(probability, is_car) > 0.95
    assert abs(fitted.weights[2]) > 5 * np.abs(np.delete(fitted.weights, 2)).max()
    save_fit(tmp_path / "fit.json", fitted, {"seed": 1})
    assert np.allclose(load_fit(tmp_path / "fit.json").probability(features), probability, atol=1e-3)


def test_area_under_the_curve_is_that_of_the_ranks() -> None:
    assert area_under_curve(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75


def test_features_are_as_many_whatever_the_picture() -> None:
    features = PlainFeatures()
    sizes = {features.of(np.zeros(shape, np.uint8)).shape for shape in ((64, 64, 3), (20, 300, 3), (1000, 700, 3))}
    assert sizes == {load_fit(shipped_fit("plain")).weights.shape} == {(features.count,)}


def test_a_file_that_is_no_fit_is_told(tmp_path: Path) -> None:
    (tmp_path / "fit.json").write_text("{}")
    with pytest.raises(DatasetError, match="no fitted scorer"):
        load_fit(tmp_path / "fit.json")


@pytest.mark.parametrize("name", SCORERS)
def test_the_shipped_scorers_prefer_cars(shared_data: Path, name: str) -> None:
    scorer = load_scorer(name)
    scores: dict[str, list[float]] = {}
    for sample in samples(shared_data / "vehicles" / "attributes_train.json", limit=120):
        if sample.dev:
            scores.setdefault(sample.kind, []).append(scorer.score(sample.image).car)
    assert np.mean(scores["car"]) > np.mean(scores["no car"]) + 0.3
    assert np.mean(scores["car"]) > np.mean(scores["detail"]) + 0.3


def test_the_shipped_fit_is_measured_on_other_photos(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = shipped_fit("plain").read_bytes()
    photos = shared_data / "vehicles" / "attributes_train.json"
    assert main(["plain", "--measure", str(photos), "--limit", "40"]) == 0
    told = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert float(told["kept_car"]) > float(told["kept_no_car"])
    assert shipped_fit("plain").read_bytes() == before


def test_the_shipped_judge_of_boxes_wants_one() -> None:
    logistic, nothing = load_fit(shipped_fit("vehicles")), np.zeros(VehicleFeatures.count)
    one = np.array([0.0, 0.6, 0.9, 0.9, 0.0, 0.54, 1.0])  # within the picture, 60 % of it, a score of 0.9
    small = np.array([0.0, 0.01, 0.9, 0.9, 0.0, 0.009, 1.0])
    assert logistic.probability(nothing) < 0.1
    assert logistic.probability(one) > 0.95
    assert logistic.probability(one) > logistic.probability(small)
