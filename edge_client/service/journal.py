"""Log lines as the journal wants them: `<PRIORITY>` before each line, see `sd-daemon(3)`."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TextIO

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


def goes_to_journal(file: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether what is written to that file ends in the journal.

    JOURNAL_STREAM names the journal's socket as `DEVICE:INODE`; a child whose output was sent elsewhere
    inherits the variable too, hence the comparison.
    """
    device, colon, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    if not colon or not (device.isdecimal() and inode.isdecimal()):
        return False
    try:
        found = os.fstat(file.fileno())
    except (OSError, ValueError):
        return False
    return (found.st_dev, found.st_ino) == (int(device), int(inode))


def priority_prefix(level: int) -> str:
    """The syslog priority of a logging level, as the journal reads it from the beginning of a line."""
    return f"<{next((priority for least, priority in _PRIORITIES if level >= least), _DEBUG)}>"
