"""Asks pip, with the settings of this machine, which files it would install, and notes their hashes.

An index has a file for each platform and Python; pip tells those of this one. Those of others are added there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tools.faults.supply.pins import HASHES, PINS, hashes, normal, pins, write_hashes

_TIMEOUT_S = 3600.0


class PipError(Exception):
    """pip did not do what it was asked for; the message is what it said last."""


def report(arguments: Sequence[str]) -> list[dict[str, Any]]:
    """What `pip install` with these arguments would install; raises PipError."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        raise PipError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    found: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return found


def add_hashes() -> int:
    """Note the hashes of this platform's files of all pins, beside those known; how many packages have some now.

    Raises PipError or OSError.
    """
    known = hashes() if HASHES.exists() else {}
    wanted = pins()
    kept = {(name, version): found for (name, version), found in known.items() if wanted.get(name) == version}
    for item in report(["--no-deps", "-r", str(PINS)]):
        digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        name = normal(item["metadata"]["name"])
        if digest and name in wanted:  # the version may be written otherwise: 4.0.0, 2.13.0+cpu
            key = name, wanted[name]
            kept[key] = kept.get(key, frozenset()) | {digest}
    write_hashes(kept)
    return len(kept)


def hashed_requirements(extras: str) -> str:
    """What an installation with these extras needs, each with its known hashes, for `pip --require-hashes`.

    Raises PipError where pip finds no solution, or something has no hash.
    """
    known, pinned = hashes(), pins()
    lines = []
    for item in report(["-c", str(PINS), "-e", f"{PINS.parent}[{extras}]", "setuptools"]):
        name, version = normal(item["metadata"]["name"]), item["metadata"]["version"]
        if name == "plate-dashcam":
            continue
        digests = known.get((name, pinned.get(name, version)))
        if not digests:
            raise PipError(f"{HASHES.name} has no hash of {name} {version}")
        lines.append(" ".join([f"{name}=={version}", *(f"--hash=sha256:{digest}" for digest in sorted(digests))]))
    return "\n".join([*lines, ""])
