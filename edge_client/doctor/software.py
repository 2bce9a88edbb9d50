"""Python, the packages, and the encoder."""

from __future__ import annotations

import sys
from importlib import metadata

import numpy as np

from edge_client.config.recording import RecordingSettings
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
    """H.264 for recordings: one picture is encoded."""
    again = "pip install --force-reinstall av opencv-python-headless"
    try:  # only here, so that its absence is a finding and not a crash
        import av  # noqa: PLC0415

        from edge_client.recording.encoder import H264Encoder  # noqa: PLC0415
    except ImportError as error:
        return Finding("encoder", Verdict.WRONG, f"no H.264 encoder: {error}", again)
    black = np.zeros((48, 64, 3), np.uint8)
    try:
        packets = H264Encoder(black, 30.0, RecordingSettings()).encode(black, 0.0)
    except (av.FFmpegError, OSError, ValueError, TypeError) as error:
        return Finding("encoder", Verdict.WRONG, f"H.264 cannot be encoded: {error}", again)
    if not packets:
        return Finding("encoder", Verdict.WRONG, "the H.264 encoder gives nothing", again)
    return Finding("encoder", Verdict.OK, f"H.264 by PyAV {av.__version__}")
