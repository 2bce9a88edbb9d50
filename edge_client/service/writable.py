"""Where the dashcam writes, as its settings say: the service may write nowhere else."""

from __future__ import annotations

from pathlib import Path

from edge_client.config import EdgeSettings
from edge_client.service.unit import STATE_NAME

_STATE = Path("/var/lib") / STATE_NAME


def writable_folders(settings: EdgeSettings) -> tuple[Path, ...]:
    """Folders outside of the service's state folder that the settings name, sorted; absolute ones only.

    Relative paths lie in the state folder, where the service works.
    """
    files = (settings.reads.file, settings.record.file, settings.apis.embedded_log)
    folders = {file.parent for file in files if file is not None}
    folders |= {folder for folder in (settings.recording.folder, settings.offline.folder) if folder is not None}
    return tuple(sorted(f for f in folders if f.is_absolute() and not f.is_relative_to(_STATE)))
