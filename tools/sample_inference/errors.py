"""What can go wrong on this side, as one line for the user."""

from __future__ import annotations


class SampleError(Exception):
    """The picture or the result is the trouble: the command exits with 1."""

    exit_code = 1


class UsageError(SampleError):
    """The arguments are the trouble: the command exits with 2."""

    exit_code = 2
