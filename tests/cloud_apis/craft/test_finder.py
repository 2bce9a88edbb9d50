from __future__ import annotations

from pathlib import Path

import numpy as np

from cloud_apis.craft.finder import LineFinder, load_finder
from tests.cloud_apis.pictures import crop
from tests.cloud_apis.serving import tiny_settings


def finder(models: Path, batch: int = 8) -> LineFinder:
    return load_finder(models, tiny_settings(models, craft__batch=batch).craft)


def test_a_line_is_found_where_it_is(models: Path) -> None:
    (lines,) = finder(models).find([crop()])
    (quad,) = lines
    assert quad.shape == (4, 2)
    centre = quad.mean(axis=0)
    assert abs(centre[0] - 48) < 2
    assert abs(centre[1] - 24) < 2
    assert quad[0, 0] < quad[1, 0]
    assert quad[0, 1] < quad[3, 1]


def test_a_crop_without_a_line_has_none(models: Path) -> None:
    assert finder(models).find([np.zeros((20, 60), np.uint8)]) == [[]]


def test_batches_change_nothing(models: Path) -> None:
    crops = [crop(), np.zeros((20, 60), np.uint8), crop()[:, ::2].copy(), np.zeros((1, 1), np.uint8), crop()]
    alone = [finder(models).find([c])[0] for c in crops]
    for batch in (1, 2, 8):
        together = finder(models, batch).find(crops)
        assert [[q.tolist() for q in lines] for lines in together] == [[q.tolist() for q in lines] for lines in alone]
    assert finder(models).find([]) == []
