"""What can be wrong with Darknet's files."""

from __future__ import annotations


class DarknetError(ValueError):
    """A Darknet file that cannot be converted; the message names the file and says why."""


class CfgError(DarknetError):
    """A .cfg that is malformed, or describes a network that our APIs cannot serve; the message names the line."""


class WeightsError(DarknetError):
    """A .weights file that does not belong to its .cfg, or is cut off."""
