"""One short, small drive for all tests of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tools.demo.canvas import Bytes
from tools.demo.render import Drive, DriveSettings
from tools.demo.route import RoutePoint
from tools.demo.truth import DriveTruth

SMALL = DriveSettings(seconds=1.2, frame_rate_hz=10, width_px=480, height_px=270, seed=5)


@dataclass(frozen=True)
class Rendered:
    settings: DriveSettings
    frames: list[Bytes]
    truth: DriveTruth
    route: list[RoutePoint]


def render(settings: DriveSettings, workers: int) -> Rendered:
    drive = Drive(settings)
    frames = list(drive.frames(workers))
    return Rendered(settings, frames, drive.truth(), drive.route())


@pytest.fixture(scope="session")
def small_drive() -> Iterator[Rendered]:
    yield render(SMALL, workers=2)
