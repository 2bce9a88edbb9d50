"""Machines out of files in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_client.doctor.machine import Machine


def machine(root: Path, files: dict[str, str], commands: dict[str, str] | None = None) -> Machine:
    """Files by absolute path below `root`; commands by their words, others fail."""
    for name, content in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def command(words: Sequence[str]) -> str | None:
        return (commands or {}).get(" ".join(words))

    return Machine(root, command)
