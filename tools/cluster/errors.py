"""What goes wrong with a local cluster."""

from __future__ import annotations


class LocalClusterError(Exception):
    """It cannot be started, or is not there; the message says what to do."""
