"""Where the recordings are kept when nobody says otherwise."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_recordings_folder() -> Path:
    """`recordings` in the user's data folder (on Linux `~/.local/share/dashcam`, or below `$XDG_DATA_HOME`)."""
    return Path(platformdirs.user_data_path("dashcam", appauthor=False)) / "recordings"
