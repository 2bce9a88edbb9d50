"""The camera: which there are, may this account use them, and does the named one give pictures."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from edge_client.config import SourceSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine
from edge_client.errors import DashcamError
from edge_client.sources.encoded import EncodedPacket, EncodedStream, EncodedVideo
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


def picture(name: str, settings: SourceSettings) -> Iterator[Finding]:
    """Opens the named source and waits for one picture, as long as the settings let it take.

    Of a camera that encodes by itself, its video is waited for too.
    """
    try:
        source = open_source(name, settings)
    except DashcamError as e:
        yield Finding("camera", Verdict.WRONG, str(e), _PLUG)
        return
    encoded = source.encoded() if isinstance(source, EncodedVideo) else None
    trial = _Trial(source, encoded, settings.open_timeout_s + settings.read_timeout_s)
    thread = threading.Thread(target=trial.run, name="doctor-camera", daemon=True)
    thread.start()
    thread.join(trial.patience_s)
    status = source.status()
    source.close()
    if trial.image is None:
        why = trial.failure or f"{status.reason or 'no picture came'}, waited {trial.patience_s:.0f} s"
        advice = "is another program using it (systemctl stop dashcam)? try another cable or address"
        yield Finding("camera", Verdict.WRONG, why, advice)
        return
    height, width = trial.image.shape[:2]
    yield Finding("camera", Verdict.OK, f"{width}×{height} at {source.frame_rate_hz:.3g} frames/s")
    if encoded is not None:
        yield _video(trial, encoded)


def _video(trial: _Trial, encoded: EncodedStream) -> Finding:
    if (packet := trial.packet) is None:
        why = encoded.failure or f"pictures, but no video within {trial.patience_s:.0f} s: nothing would be recorded"
        advice = "restart the machine; look at dmesg for the encoder; lower source.pi_video_width_px and _height_px"
        return Finding("camera's video", Verdict.WRONG, why, advice)
    video = packet.video_format
    return Finding("camera's video", Verdict.OK, f"{video.codec}, {video.width_px}×{video.height_px}")


@dataclass(slots=True, eq=False)
class _Trial:
    """Takes pictures, in a thread that may hang with its driver, until there is one, and a packet where such come."""

    source: FrameSource
    encoded: EncodedStream | None
    patience_s: float
    image: Image | None = None
    packet: EncodedPacket | None = None
    failure: str = ""

    def run(self) -> None:
        end = self.encoded.subscribe(self._take) if self.encoded is not None else None
        ends_s = time.monotonic() + self.patience_s
        try:
            for image in self.source:
                self.image = image
                if self.encoded is None or self.packet is not None or time.monotonic() > ends_s:
                    return
        except DashcamError as e:
            self.failure = str(e)
        finally:
            if end is not None:
                end()

    def _take(self, packet: EncodedPacket) -> None:
        self.packet = self.packet or packet
