"""Two steps of the CRNN's training on synthetic plates: finite loss, and a cut run goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch (extra `train`) is not installed")
matplotlib = pytest.importorskip("matplotlib", reason="matplotlib (extra `train`) is not installed")

import torch

from cloud_apis.crnn.preprocess import warp_word
from tools.training.common.crops import RealCrop, part_of
from tools.training.crnn.augment import disturb, jitter
from tools.training.crnn.data import Mixture, WordSampler, load_words, shares
from tools.training.crnn.export import export
from tools.training.crnn.model import Crnn
from tools.training.crnn.train import Plan, ctc_loss, evaluate, learning_rate, merit, train
from tools.training.synthetic.generate import crop_of
from tools.training.synthetic.glyphs import Glyphs
from tools.training.synthetic.store import Store


@pytest.fixture(scope="module")
def store() -> Store:
    glyphs = Glyphs(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")
    return Store.of(crop_of(5, number, [glyphs]) for number in range(24))


def real_crop(text: str = "B12ABC") -> RealCrop:
    image = np.random.default_rng(2).integers(0, 255, (40, 160), dtype=np.uint8)
    return RealCrop("crops/x.webp", text, "drive", image, 1.0)


def test_shapes_and_loss() -> None:
    logits = Crnn()(torch.rand(3, 1, 32, 160))
    assert logits.shape == (3, 80, 37)
    assert torch.isfinite(ctc_loss(logits, [(1, 2, 3), (4,), (36, 36)]))


def test_a_dark_patch_reads_like_a_bright_one() -> None:
    model = Crnn().eval()
    patch = torch.rand(1, 1, 32, 160)
    with torch.no_grad():
        assert torch.allclose(model(patch), model(patch * 0.5 + 0.2), atol=0.2)


def test_a_cut_run_goes_on(store: Store, tmp_path: Path) -> None:
    dev = [real_crop()]

    def run(steps: int, folder: str) -> dict[str, torch.Tensor]:
        sampler = WordSampler(store, [], {}, Mixture())
        plan = Plan(steps=steps, batch=4, evaluate_every=1, seed=3, bfloat16=False)
        train(plan, sampler, dev, tmp_path / folder)
        state = torch.load(tmp_path / folder / "last.pt", weights_only=True)
        assert state["step"] == steps
        weights: dict[str, torch.Tensor] = state["model"]
        return weights

    first = run(1, "cut")
    second = run(2, "cut")
    assert any(not torch.equal(first[name], second[name]) for name in first)
    log = (tmp_path / "cut" / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "1", "2"]
    assert all(np.isfinite(float(line.split(",")[1])) for line in log[1:])
    assert (tmp_path / "cut" / "metrics.png").stat().st_size > 0


def test_a_cut_run_ends_as_an_uncut_one(store: Store, tmp_path: Path) -> None:
    def run(steps: int, folder: str) -> dict[str, torch.Tensor]:
        # The rates of these two plans are the same in the first step.
        plan = Plan(steps=steps, batch=4, evaluate_every=1, seed=3, bfloat16=False, device="cpu")
        train(plan, WordSampler(store, [], {}, Mixture()), [real_crop()], tmp_path / folder)
        weights: dict[str, torch.Tensor] = torch.load(tmp_path / folder / "last.pt", weights_only=True)["model"]
        return weights

    uncut = run(2, "uncut")
    run(1, "cut")
    torch.rand(7)  # whatever else drew in between
    cut = run(2, "cut")
    assert all(torch.equal(cut[name], uncut[name]) for name in uncut)


def test_learning_rate_rises_then_falls() -> None:
    plan = Plan(steps=1000)
    rates = [learning_rate(step, plan) for step in (0, 100, 199, 500, 999)]
    assert rates[0] < rates[1] < rates[2]
    assert rates[2] > rates[3] > rates[4] > 0


def test_samples_are_patches_with_classes_of_the_alphabet(store: Store) -> None:
    quads = {"crops/x.webp": [np.array([[10, 5], [150, 5], [150, 35], [10, 35]], np.float32)]}
    sampler = WordSampler(store, [real_crop()], quads, Mixture())
    images, targets = sampler.batch(32, np.random.default_rng(1))
    assert images.shape == (32, 1, 32, 160)
    assert images.dtype == np.float32
    assert 0 <= images.min() <= images.max() <= 1
    assert all(target and all(1 <= label <= 36 for label in target) for target in targets)
    again, _ = sampler.batch(32, np.random.default_rng(1))
    assert np.array_equal(images, again)


def test_rare_characters_and_two_lines_are_drawn_more_often() -> None:
    crops = [real_crop(text) for text in ("B12ABC", "B12ABC", "B12ABD", "Q12ABC", "B12/ABC")]
    common, again, other, rare, two = shares(crops, two_lines=3.0)
    assert common == again < other
    assert rare > other
    assert two > 2 * common
    assert shares(crops, two_lines=1.0).sum() == pytest.approx(1)


def test_unaugmented_patches_are_those_of_inference() -> None:
    quads = {"crops/x.webp": [np.array([[10, 5], [150, 5], [150, 35], [10, 35]], np.float32)]}
    crop = real_crop()
    sampler = WordSampler(None, [crop], quads, Mixture(augment=False))
    inference = warp_word(crop.image, quads["crops/x.webp"][0])
    assert any(np.array_equal(sampler.draw(np.random.default_rng(n)).image, inference) for n in range(3))


def test_smoothing_punishes_certainty() -> None:
    sure = torch.zeros(1, 80, 37)
    sure[:, :, 0] = 30
    assert ctc_loss(sure, [(1,)], smoothing=0.1) - 0.9 * ctc_loss(sure, [(1,)]) > 1


def test_nothing_to_train_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to train from"):
        WordSampler(None, [], {}, Mixture())


def test_crops_that_cannot_be_shown_are_not_drawn_for_ever() -> None:
    far = {"elsewhere": [np.zeros((4, 2), np.float32)]}
    for text, words in (("BÖ1", {}), ("", {}), ("AB1/CD2", far), ("A/B/C", {})):
        with pytest.raises(ValueError, match="nothing to train from"):
            WordSampler(None, [real_crop(text)], words, Mixture())
    sampler = WordSampler(None, [real_crop("BÖ1"), real_crop()], {}, Mixture())
    assert [crop.text for crop in sampler.real] == ["B12ABC"]
    assert len(sampler.batch(4, np.random.default_rng(1))[1]) == 4


def test_jitter_stays_near() -> None:
    quad = np.array([[0, 0], [100, 0], [100, 20], [0, 20]], np.float32)
    rng = np.random.default_rng(0)
    moved = np.stack([jitter(quad, rng) for _ in range(200)])
    assert np.abs(moved - quad).max() < 40
    assert np.abs(np.median(moved, axis=0) - quad).max() < 3


def test_disturbed_patches_stay_in_range() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        patch = disturb(rng.random((1, 32, 160), dtype=np.float32), rng, 1.0)
        assert patch.shape == (1, 32, 160)
        assert 0 <= patch.min() <= patch.max() <= 1


def test_evaluation_counts_exact_plates() -> None:
    figures = evaluate(Crnn().eval(), [real_crop("ZZZZZZZZZZZZ")], {})
    assert figures["exact"] == 0.0
    assert figures["character_errors"] > 0.9
    assert merit({"exact": 0.5, "character_errors": 0.1}) > merit({"exact": 0.5, "character_errors": 0.2})


def test_without_held_out_crops_int8_is_exported_without_figures(store: Store, tmp_path: Path) -> None:
    train(Plan(steps=1, batch=2, bfloat16=False), WordSampler(store, [], {}, Mixture()), [], tmp_path)
    export(tmp_path, [real_crop()], [], {}, tmp_path / "models")
    manifest = json.loads((tmp_path / "models" / "crnn.json").read_text(), parse_constant=pytest.fail)
    assert manifest["dev_exact"] == {"float32": None, "int8": None}
    assert manifest["precision"] == "int8"


def test_words_are_empty_where_none_are_named_and_an_error_where_they_are_missing(tmp_path: Path) -> None:
    assert load_words(None) == {}
    with pytest.raises(FileNotFoundError, match="typo"):
        load_words(tmp_path / "typo.json")
    for content in ("{", "[1]", '{"a": 3}', '{"a": [["x"]]}'):
        (tmp_path / "broken.json").write_text(content)
        with pytest.raises(ValueError, match=r"broken\.json holds no line quads"):
            load_words(tmp_path / "broken.json")


def test_one_plate_is_never_in_train_and_dev() -> None:
    texts = [f"AB{number:03d}" for number in range(500)]
    parts = [part_of(text, "train") for text in texts]
    assert parts == [part_of(text, "train") for text in texts]
    assert 10 < parts.count("dev") < 60
    assert part_of("AB000", "val") == "val"
