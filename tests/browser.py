"""The browser of the tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tools.browser import Browser, find_chromium, started

__all__ = ["Browser", "chromium", "find_chromium"]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A fresh browser; the test is skipped, saying so, where Chromium is not installed."""
    command = find_chromium()
    if command is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with started(command) as browser:
        yield browser
