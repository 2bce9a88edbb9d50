"""Asking before something is done that costs money or takes something away."""

from __future__ import annotations

import sys

from deploy.errors import SettingsError


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether the user agrees; ``yes`` is the option --yes. Raises `SettingsError` where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise SettingsError("nobody is here to be asked: repeat the command with --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
