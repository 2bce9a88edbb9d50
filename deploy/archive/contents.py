"""Which files a replica needs, from the installed packages or the checkout, whichever Python imports here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path, PurePosixPath

NEEDED = (
    "cloud_apis",
    "config",
    "deploy/__init__.py",
    "deploy/errors.py",
    "deploy/registry",
    "deploy/serving",
    "deploy/settings",
    "deploy/urls.py",
)
"""Files and folders. The rest of `deploy` runs where the operator is: changing it is no new version of the APIs."""
CATALOGUE = "config/catalogue.csv"
"""Where replicas find the facts about models that they tell of."""
_LEFT_OUT = ("cloud_apis/models/", "config/deploy.yaml", "config/edge.yaml", "config/machines.yaml")
_KEPT = "cloud_apis/models/__init__.py"
_SUFFIXES = {".csv", ".py", ".yaml", ".html", ".css", ".js", ".json", ".svg"}


def package_roots() -> dict[str, Path]:
    """The folders of our packages, by their names."""
    return {name: Path(str(resources.files(name))) for name in ("cloud_apis", "config", "deploy")}


def collect(roots: Mapping[str, Path]) -> dict[str, bytes]:
    """Content of each file that a replica needs, by its path in the archive, in order of the paths.

    Models are not among them: replicas fetch those by digest. Nor are the settings of operator and device.
    """
    found: dict[str, bytes] = {}
    for part in NEEDED:
        package, _, rest = part.partition("/")
        start = roots[package] / rest
        paths = start.rglob("*") if start.is_dir() else [start]
        for path in paths:
            name = PurePosixPath(package, *path.relative_to(roots[package]).parts).as_posix()
            if path.is_file() and path.suffix in _SUFFIXES and (not name.startswith(_LEFT_OUT) or name == _KEPT):
                found[name] = path.read_bytes()
    return dict(sorted(found.items()))
