"""Photos and crops to compare models on: from the data folder, or rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench import samples as module
from tools.bench.samples import samples, spread
from tools.data import ENVIRONMENT_VARIABLE


def test_items_are_evenly_spread() -> None:
    assert spread(range(10), 4) == [0, 2, 5, 7]
    assert spread([1, 2], 5) == [1, 2]
    assert spread([], 5) == []


def test_without_the_data_folder_they_are_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "nowhere"))
    for name, value in (("RENDERED_SECONDS", 2.0), ("RENDERED_SIZE_PX", (320, 180)), ("LEAST_PLATE_PX", 8.0)):
        monkeypatch.setattr(module, name, value)
    found = samples("val", 2, 3)
    assert "rendered" in found.origin
    assert [p.shape for p in found.photos] == [(180, 320, 3)] * 2
    assert found.crops
    for crop, text in found.crops:
        assert crop.shape[1] >= module.LEAST_PLATE_PX
        assert text.isalnum()


def test_labelled_ones_are_of_the_split(shared_data: Path) -> None:
    found = samples("dev", 3, 4)
    assert (len(found.photos), len(found.crops)) == (3, 4)
    assert found.origin == "labelled, split dev"
    assert all("/" not in text for _, text in found.crops)
