"""Where the photos, drives and transcriptions for training, tests and benchmarks lie."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT_VARIABLE = "PLATE_DATA"


def data_root() -> Path | None:
    """The data folder: ``$PLATE_DATA``, or ``../shared/data`` beside the repository; None if absent."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def require_data_root() -> Path:
    """Like :func:`data_root`, but raises FileNotFoundError that says what to set."""
    folder = data_root()
    if folder is None:
        raise FileNotFoundError(
            f"the data folder is missing: set {ENVIRONMENT_VARIABLE} to the folder that holds plates/ and clips/"
        )
    return folder
