"""Where evidence is kept when nobody says otherwise."""

from __future__ import annotations

from pathlib import Path

from edge_client.config import OfflineSettings


def spool_folder(settings: OfflineSettings, reads_file: Path) -> Path:
    """The configured folder, or one beside the file of the reads: `reads.spool` for `reads.db`."""
    return settings.folder if settings.folder is not None else reads_file.with_suffix(".spool")
