"""CRAFT's targets, weak labels and training loop on synthetic plates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="torch (extra `train`) is not installed")
matplotlib = pytest.importorskip("matplotlib", reason="matplotlib (extra `train`) is not installed")

import torch

from cloud_apis.craft.postprocess import line_quads
from tools.training.common.crops import RealCrop
from tools.training.craft.data import MapSampler, posed, recut, second_look
from tools.training.craft.export import export
from tools.training.craft.labels import reading_judge
from tools.training.craft.model import Craft
from tools.training.craft.pseudo import find, labelled, word_quads
from tools.training.craft.targets import affinity_quads, levelled, maps
from tools.training.craft.train import Plan, carry_over, counting_judge, load_best, map_loss, train
from tools.training.synthetic.generate import crop_of
from tools.training.synthetic.geometry import line_quad
from tools.training.synthetic.glyphs import Glyphs
from tools.training.synthetic.render import Line
from tools.training.synthetic.scene import Crop
from tools.training.synthetic.store import Store


@pytest.fixture(scope="module")
def store() -> Store:
    glyphs = Glyphs(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")
    return Store.of(crop_of(5, number, [glyphs]) for number in range(24))


def boxes(count: int, x0: float, y0: float, y1: float, step: float = 16) -> NDArray[np.float32]:
    return np.array(
        [[[x, y0], [x + 11, y0], [x + 11, y1], [x, y1]] for x in np.arange(count) * step + x0], dtype=np.float32
    )


def test_targets_peak_at_characters_and_between_them() -> None:
    line = boxes(5, 40, 30, 54)
    target = maps([line])
    assert target.shape == (2, 48, 96)
    for quad in line:
        x, y = quad.mean(axis=0)
        assert target[0, int(y / 2), int(x / 2)] > 0.9
    for quad in affinity_quads(line):
        x, y = quad.mean(axis=0)
        assert target[1, int(y / 2), int(x / 2)] > 0.9
    assert target[0, 2, 2] == 0
    assert maps([]).max() == 0


def test_lines_come_back_from_their_targets(store: Store) -> None:
    close = total = 0
    for crop in store:
        image = RealCrop("x", "/".join(line.text for line in crop.lines), "s", crop.image, 1.0)
        (found,) = find(lambda images: np.zeros((len(images), 2, 48, 96), np.float32), [image.image])
        lines = [found.fit.to_network(line.quads) for line in crop.lines]
        quads = line_quads(maps(lines))
        total += 1
        if len(quads) == len(lines):
            truth = [line_quad(line) for line in lines]
            height = float(np.linalg.norm(truth[0][3] - truth[0][0]))
            close += max(float(np.abs(a - b).max()) for a, b in zip(quads, truth, strict=True)) < 0.4 * height
    assert close >= 0.9 * total


def test_weak_labels_need_the_right_number_of_characters() -> None:
    line = boxes(6, 30, 30, 54)
    crop = RealCrop("x", "ABC123", "s", np.zeros((96, 192), np.uint8), 0.5)
    (found,) = find(lambda images: maps([line])[None], [crop.image])
    usable = labelled(found, crop)
    assert usable is not None
    assert usable.lines[0].quads.mean(axis=1) == pytest.approx(line.mean(axis=1), abs=2.0)
    other = RealCrop("x", "ABC12", "s", crop.image, 0.5)
    assert labelled(found, other) is None
    two_lines = RealCrop("x", "ABC/123", "s", crop.image, 0.5)
    assert labelled(found, two_lines) is None
    assert word_quads(found, two_lines) == []
    (quad,) = word_quads(found, crop)
    assert np.array(quad) == pytest.approx(line_quad(line) / 0.5, abs=8)


def white_bars() -> Crop:
    """Four white bars as characters."""
    image = np.zeros((60, 160), np.uint8)
    line = boxes(4, 40, 20, 40)
    for quad in line:
        image[20:40, int(quad[0, 0]) : int(quad[1, 0])] = 255
    return Crop(image, (Line("ABCD", line),))


@pytest.mark.parametrize("change", [recut, posed])
def test_other_cuts_and_poses_keep_boxes_on_their_characters(
    change: Callable[[Crop, np.random.Generator], Crop],
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        cut = change(white_bars(), rng)
        for quad in cut.lines[0].quads:
            centre = quad.mean(axis=0).round().astype(int)
            assert cut.image[centre[1], centre[0]] > 200


def test_a_second_look_mostly_shows_all_characters() -> None:
    rng = np.random.default_rng(0)
    crop, seen = posed(white_bars(), rng), 0
    for _ in range(40):
        window = second_look(crop, rng)
        centres = window.to_network(crop.lines[0].quads).mean(axis=1)
        image = window.cut(crop.image)
        inside = ((centres > 0) & (centres < [192, 96])).all(axis=1)
        assert all(image[0, int(y), int(x)] > 0.8 for x, y in centres[inside])
        seen += bool(inside.all())
    assert seen >= 36


def test_a_raised_year_is_made_as_tall_as_its_line() -> None:
    line = boxes(5, 40, 20, 44)
    line[3:, 2:, 1] = 32
    whole = levelled(line)
    assert whole[:, :2, 1] == pytest.approx(20, abs=0.1)
    assert whole[:, 2:, 1] == pytest.approx(44, abs=0.1)
    assert whole[:, :, 0] == pytest.approx(line[:, :, 0], abs=0.1)
    assert levelled(boxes(3, 40, 20, 44)) is not None


def test_loss_is_least_at_the_target() -> None:
    target = torch.from_numpy(maps([boxes(5, 40, 30, 54)]))[None]
    right = torch.logit(target.clamp(1e-4, 1 - 1e-4))
    assert map_loss(right, target) < 0.01
    assert map_loss(-right, target) > map_loss(torch.zeros_like(right), target) > map_loss(right, target)


def test_a_cut_run_goes_on(store: Store, tmp_path: Path) -> None:
    real = [RealCrop("x", "B12ABC", "drive", np.full((40, 160), 90, np.uint8), 1.0)]
    for steps in (1, 2):
        plan = Plan(steps=steps, synthetic_steps=1, batch=2, evaluate_every=1, relabel_every=1, bfloat16=False)
        train(plan, MapSampler(store), real, counting_judge(real), tmp_path)
        assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == steps
    log = (tmp_path / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "1", "2"]
    assert all(np.isfinite(float(line.split(",")[1])) for line in log[1:])
    scores = load_best(tmp_path)(torch.rand(2, 1, 96, 192))
    assert scores.shape == (2, 2, 48, 96)
    assert 0 <= scores.min() <= scores.max() <= 1


def test_without_held_out_crops_the_latest_weights_are_kept_and_exported(store: Store, tmp_path: Path) -> None:
    steps = {"synthetic_steps": 9, "batch": 2, "evaluate_every": 1, "bfloat16": False}
    for judge in (counting_judge([]), reading_judge([], lambda images: images)):
        plan = Plan(steps=2, **steps)  # type: ignore[arg-type]
        train(plan, MapSampler(store), [], judge, tmp_path / judge.__qualname__)
        assert torch.load(tmp_path / judge.__qualname__ / "best.pt", weights_only=True)["step"] == 2
    crops = [RealCrop(str(i), "B12ABC", "own", np.full((40, 160), 20 * i, np.uint8), 1.0) for i in range(3)]
    export(load_best(tmp_path / "counting_judge.<locals>.judge"), crops, [], tmp_path, tmp_path / "models")
    manifest = json.loads((tmp_path / "models" / "craft.json").read_text(), parse_constant=pytest.fail)
    assert manifest["dev"] == {name: {"lines": None, "characters": None} for name in ("float32", "int8")}


def test_an_earlier_network_is_gone_on_with(store: Store, tmp_path: Path) -> None:
    first = Craft()
    older = {name: weight for name, weight in first.state_dict().items() if not name.startswith("more_")}
    torch.save({"average": older}, tmp_path / "older.pt")
    second = Craft()
    carry_over(second, tmp_path / "older.pt")
    image = torch.rand(1, 1, 96, 192)
    assert torch.allclose(first.eval()(image), second.eval()(image), atol=1e-5)
    torch.save({"average": {"other": torch.zeros(1)}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="another network"):
        carry_over(second, tmp_path / "other.pt")


def test_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train first"):
        load_best(tmp_path)


def test_the_network_is_slim() -> None:
    assert sum(weight.numel() for weight in Craft().parameters()) < 900_000
