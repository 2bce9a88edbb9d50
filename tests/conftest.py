"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.data import data_root


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos and clips; the test is skipped, saying so, where it is absent."""
    folder = data_root()
    if folder is None:
        pytest.skip("the data folder is absent (set PLATE_DATA)")
    return folder
