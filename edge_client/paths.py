"""Looks at paths without a failure where this account may not look, or where a name is too long to be one."""

from __future__ import annotations

import os
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is a file, as far as this account can see."""
    return os.path.isfile(path)  # noqa: PTH113 - `Path.is_file` raises PermissionError


def is_folder(path: Path) -> bool:
    """Whether there is a folder, as far as this account can see."""
    return os.path.isdir(path)  # noqa: PTH112 - as above
