"""A font for rendering: the one that comes with matplotlib, so that no test fetches anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.training.synthetic.glyphs import Glyphs


@pytest.fixture(scope="session")
def glyphs() -> Glyphs:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib (extra `train`) brings the font for this test")
    return Glyphs(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf")
