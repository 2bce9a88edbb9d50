from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_client.config import SourceSettings
from edge_client.doctor.camera import cameras, picture
from edge_client.doctor.finding import Verdict
from edge_client.doctor.machine import Machine
from tests.edge_client.doctor.trees import machine
from tests.edge_client.sources.fake_picamera2 import Hardware, modules

NODES = {
    "/sys/class/video4linux/video0/name": "HD Webcam",
    "/sys/class/video4linux/video0/index": "0",
    "/sys/class/video4linux/video1/name": "HD Webcam",
    "/sys/class/video4linux/video1/index": "1",
    "/dev/video0": "",
}


def test_cameras_are_listed_once_each(tmp_path: Path) -> None:
    finding = cameras(machine(tmp_path, NODES))
    assert finding.verdict is Verdict.OK
    assert finding.found == "/dev/video0 (HD Webcam)"


def test_a_camera_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "may", lambda *_: False)  # root may everything
    finding = cameras(machine(tmp_path, NODES))
    assert finding.verdict is Verdict.WRONG
    assert "usermod -aG video" in finding.advice


def test_no_camera(tmp_path: Path) -> None:
    assert cameras(machine(tmp_path, {})).verdict is Verdict.NOTE


def test_a_picture_is_taken(tmp_path: Path) -> None:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((48, 64, 3), np.uint8))
    (finding,) = picture(str(tmp_path), SourceSettings())
    assert finding.verdict is Verdict.OK
    assert "64×48 at 10 frames/s" in finding.found


@pytest.mark.parametrize("name", ["/dev/video99", "http://127.0.0.1:9/stream"])
def test_a_camera_that_is_not_there(name: str) -> None:
    (finding,) = picture(name, SourceSettings(open_timeout_s=1.0, read_timeout_s=1.0))
    assert finding.verdict is Verdict.WRONG
    assert finding.advice


@pytest.mark.parametrize("fault", ["", "encoder_hangs", "encoder_missing"])
def test_a_camera_that_encodes_is_asked_for_its_video_too(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    hardware = Hardware()
    for name, module in modules(hardware).items():
        monkeypatch.setitem(sys.modules, name, module)
    if fault:
        setattr(hardware, fault, True)
    settings = SourceSettings(
        camera_width_px=200, camera_height_px=112, pi_video_width_px=240, pi_video_height_px=136,
        open_timeout_s=1.0, read_timeout_s=0.5,
    )  # fmt: skip
    seen, video = picture("picamera", settings)
    assert (seen.verdict, seen.found) == (Verdict.OK, "200×112 at 30 frames/s")
    assert video.verdict is (Verdict.WRONG if fault else Verdict.OK)
    assert fault or video.found == "h264, 240×136"
    assert not fault or "dmesg" in video.advice
    assert not hardware.taken


def test_machine_reads_what_is_there(tmp_path: Path) -> None:
    here = machine(tmp_path, {"/sys/a": " 12\n\0", "/sys/b": "x"})
    assert (here.text("/sys/a"), here.number("/sys/b"), here.text("/sys/c")) == ("12", None, None)
    assert here.list("/sys", "*") == [Path("/sys/a"), Path("/sys/b")]
    assert here.may("/sys/a", os.R_OK)
    assert Machine().command(("no-such-command-here",)) is None
    assert Machine().command(("false",)) is None
    assert Machine().command(("echo", "well")) == "well\n"
