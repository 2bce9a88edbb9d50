from __future__ import annotations

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from tools.training.attributes.mixing import LARGEST_PIECE, mixed
from tools.training.attributes.pictures import Crop, random_view

PICTURES = torch.stack([torch.full((3, 24, 32), value) for value in (0.0, 1.0, 2.0)])


def test_added_pictures_keep_at_least_half_of_their_own() -> None:
    for seed in range(20):
        (found,), share = mixed([PICTURES], 1.0, 0.0, random.Random(seed))
        assert 0.5 <= share <= 1
        torch.testing.assert_close(found[0], torch.full((3, 24, 32), 2 * (1 - share)))


def test_a_piece_of_another_picture_is_as_large_as_its_share() -> None:
    for seed in range(20):
        (found,), share = mixed([PICTURES], 0.0, 1.0, random.Random(seed))
        assert 1 - LARGEST_PIECE <= share < 1
        assert float((found[0, 0] == 0).float().mean()) == pytest.approx(share)
        assert float((found[2, 0] == 0).float().mean()) == pytest.approx(1 - share)
        torch.testing.assert_close(found[1], PICTURES[1])  # the one in the middle meets itself


def test_maps_beside_pictures_are_not_cut_and_nothing_happens_unasked() -> None:
    for inputs, cutmix in (([PICTURES, PICTURES[:, :, :3, :4]], 1.0), ([PICTURES], 0.0)):
        found, share = mixed(inputs, 0.0, cutmix, random.Random(1))
        assert share == 1.0
        assert all(torch.equal(a, b) for a, b in zip(found, inputs, strict=True))


def test_views_of_parts_show_less_of_the_car() -> None:
    ramp = np.tile(np.linspace(0, 255, 200, dtype=np.uint8)[None, :, None], (150, 1, 3))
    crop = Crop(np.ascontiguousarray(ramp), (0.0, 0.0, 200.0, 150.0))

    def spread(parts: float) -> float:
        seen = [random_view(crop, (96, 128), np.random.default_rng(seed), parts=parts)[0] for seed in range(60)]
        return float(np.median([np.ptp(view.mean((0, 2))) for view in seen]))

    assert spread(1.0) < 0.9 * spread(0.0)
