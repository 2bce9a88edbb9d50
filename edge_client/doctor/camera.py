"""The camera: which there are, may this account use them, and does the named one give pictures."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from edge_client.config import SourceSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine
from edge_client.errors import DashcamError
from edge_client.sources.open import open_source
from edge_client.types import FrameSource, Image

_VIDEO_GROUP = "sudo usermod -aG video $USER, then log in again"
_PLUG = "plug one in and look at `v4l2-ctl --list-devices`; a Pi camera: `rpicam-hello --list-cameras`"


def cameras(machine: Machine) -> Finding:
    """The video devices that are there; nothing is opened."""
    found, denied = [], []
    for entry in machine.list("/sys/class/video4linux", "video*"):
        device = f"/dev/{entry.name}"
        if (machine.number(entry / "index") or 0) != 0:
            continue  # a camera's further nodes carry no pictures
        found.append(f"{device} ({machine.text(entry / 'name') or 'unnamed'})")
        if not machine.may(device, os.R_OK | os.W_OK):
            denied.append(device)
    if denied:
        return Finding("cameras", Verdict.WRONG, f"{', '.join(denied)}: this account may not use it", _VIDEO_GROUP)
    if not found:
        return Finding("cameras", Verdict.NOTE, "no video device", _PLUG)
    return Finding("cameras", Verdict.OK, ", ".join(found))


def picture(name: str, settings: SourceSettings) -> Finding:
    """Opens the named source and waits for one picture, as long as the settings let it take."""
    try:
        source = open_source(name, settings)
    except DashcamError as e:
        return Finding("camera", Verdict.WRONG, str(e), _PLUG)
    trial = _Trial(source)
    waited_s = settings.open_timeout_s + settings.read_timeout_s
    thread = threading.Thread(target=trial.run, name="doctor-camera", daemon=True)
    thread.start()
    thread.join(waited_s)
    status = source.status()
    source.close()
    if trial.image is not None:
        height, width = trial.image.shape[:2]
        return Finding("camera", Verdict.OK, f"{width}×{height} at {source.frame_rate_hz:.3g} frames/s")
    why = trial.failure or status.reason or "no picture came"
    advice = "is another program using it (systemctl stop dashcam)? try another cable or address"
    return Finding("camera", Verdict.WRONG, f"{why}, waited {waited_s:.0f} s" if not trial.failure else why, advice)


@dataclass(slots=True, eq=False)
class _Trial:
    """Takes one picture in a thread that may hang with its driver."""

    source: FrameSource
    image: Image | None = None
    failure: str = ""

    def run(self) -> None:
        try:
            self.image = next(iter(self.source), None)
        except DashcamError as e:
            self.failure = str(e)
