"""Fitting pictures into a size."""

from __future__ import annotations

import numpy as np
import pytest

from edge_client.displays.fit import fit
from tests.edge_client.samples import picture


def test_a_picture_that_fits_is_not_copied() -> None:
    image = picture(64, 48)
    assert fit(image, 64, 48) is image


@pytest.mark.parametrize(("size", "target"), [((64, 48), (128, 48)), ((64, 48), (64, 200)), ((1000, 10), (64, 64))])
def test_the_aspect_is_kept_and_the_rest_is_black(size: tuple[int, int], target: tuple[int, int]) -> None:
    fitted = fit(picture(*size, value=200), *target)
    assert fitted.shape == (target[1], target[0], 3)
    filled = fitted[..., 0] > 100
    columns, rows = np.count_nonzero(filled.any(axis=0)), np.count_nonzero(filled.any(axis=1))
    assert columns == target[0] or rows == target[1]
    assert columns / rows == pytest.approx(size[0] / size[1], rel=0.6 if min(rows, columns) < 4 else 0.05)
    assert fitted[0, 0].sum() == 0 or filled.all()


def test_the_same_aspect_fills_all() -> None:
    assert (fit(picture(64, 48, value=200), 128, 96) == 200).all()
