"""The pins of `constraints.txt` and the hashes of `hashes.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
PINS: Final = ROOT / "constraints.txt"
HASHES: Final = ROOT / "hashes.txt"
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: Path = PINS) -> dict[str, str]:
    """Versions by name; raises OSError."""
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if "==" in line)
    return {normal(name): version for name, _, version in pairs}


def hashes(file: Path = HASHES) -> dict[tuple[str, str], frozenset[str]]:
    """SHA-256 of the files that may be installed, by name and version; raises OSError."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        name, equals, rest = line.partition("#")[0].partition("==")
        if equals:
            found[normal(name.strip()), rest.split()[0]] = frozenset(_HASH.findall(rest))
    return found


def write_hashes(known: Mapping[tuple[str, str], frozenset[str]], file: Path = HASHES) -> None:
    """Write them as pip's requirements with hashes; raises OSError."""
    lines = ["# SHA-256 of the pinned packages' files, by python -m tools.faults.supply hashes; see README."]
    for (name, version), found in sorted(known.items()):
        lines.append(" \\\n    ".join([f"{name}=={version}", *(f"--hash=sha256:{digest}" for digest in sorted(found))]))
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
