"""Whether there is a screen for a window here, and SDL's ways to it; known without loading SDL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

BARE: Final = "kmsdrm"
"""SDL's way to a screen without a display server."""


def has_screen(environment: Mapping[str, str], *, full_screen: bool = False, devices: Path = Path("/dev/dri")) -> bool:
    """Whether there is something to show a window on: a display server or, for the full screen, a bare screen."""
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return True
    return (full_screen or environment.get("SDL_VIDEODRIVER") == BARE) and any(devices.glob("card*"))


def drivers_for(environment: Mapping[str, str]) -> str:
    """The ways to a screen that can work here, so that SDL does not fall back to one that nobody sees."""
    servers = [("x11", "DISPLAY"), ("wayland", "WAYLAND_DISPLAY")]
    return ",".join(driver for driver, variable in servers if environment.get(variable)) or BARE
