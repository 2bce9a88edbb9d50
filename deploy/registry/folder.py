"""Where pulled models are kept on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "PLATE_MODEL_CACHE"


def default_cache(environment: Mapping[str, str]) -> Path:
    """The folder that ``PLATE_MODEL_CACHE`` names, else one in the user's cache folder (XDG Base Directory)."""
    if named := environment.get(VARIABLE, "").strip():
        return Path(named)
    base = environment.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / "plate-dashcam" / "models"


def process_cache() -> Path:
    """`default_cache` of this process."""
    return default_cache(os.environ)
