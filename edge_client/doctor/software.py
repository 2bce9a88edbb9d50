"""Python, the packages, and the encoder."""

from __future__ import annotations

import sys
from importlib import metadata

from edge_client.doctor.finding import Finding, Verdict

PACKAGES = (
    "av",
    "fontpkg-barlow-semi-condensed",
    "numpy",
    "opencv-python-headless",
    "paho-mqtt",
    "platformdirs",
    "pydantic",
    "pygame-ce",
    "pynmea2",
    "pyserial",
    "PyYAML",
    "requests",
    "rich",
    "simplejpeg",
)
"""Those of the extra `edge`, by the names that pip knows them by."""


def python() -> Finding:
    """The interpreter; an older one does not get as far as this, the package demands 3.11."""
    return Finding("Python", Verdict.OK, ".".join(str(part) for part in sys.version_info[:3]))


def packages() -> Finding:
    """What the extra `edge` brings."""
    missing = []
    for name in PACKAGES:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", Verdict.WRONG, f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding("packages", Verdict.OK, f"{len(PACKAGES)} found")


def encoder() -> Finding:
    """H.264 for recordings."""
    import av  # noqa: PLC0415 - only here, so that its absence is a finding and not a crash

    if "libx264" not in av.codecs_available:
        return Finding("encoder", Verdict.WRONG, "no H.264 encoder", "pip install --force-reinstall av")
    return Finding("encoder", Verdict.OK, f"H.264 by PyAV {av.__version__}")
