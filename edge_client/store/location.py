"""Where the reads are kept when nobody says otherwise."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from edge_client.errors import StoreError


def default_reads_file() -> Path:
    """`reads.db` in the user's data folder (on Linux `~/.local/share/dashcam`, or below `$XDG_DATA_HOME`)."""
    return Path(platformdirs.user_data_path("dashcam", appauthor=False)) / "reads.db"


def reads_file(configured: Path | None) -> Path:
    """The configured file, or the default one, whose folder is made if need be.

    Raises:
        StoreError: the default folder cannot be made.
    """
    if configured is not None:
        return configured
    path = default_reads_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise StoreError(
            f"cannot make the folder {path.parent} for the reads: {e.strerror}; name a file: --reads FILE"
        ) from e
    return path
