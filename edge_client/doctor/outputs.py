"""The screen and the web page."""

from __future__ import annotations

import os

from cloud_apis.contract import is_loopback
from edge_client.config import WebSettings, WindowSettings
from edge_client.displays.web.access import load_key, parse_address
from edge_client.displays.window_screen import has_screen
from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine
from edge_client.errors import DashcamError


def screen(settings: WindowSettings, machine: Machine) -> Finding:
    """Whether there is something to draw on."""
    if not settings.enabled:
        return Finding("screen", Verdict.OK, "no window is wanted")
    if has_screen(os.environ):
        display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or "there"
        return Finding("screen", Verdict.OK, display)
    connected = [p.name for p in machine.list("/sys/class/drm", "card*-*") if machine.text(p / "status") == "connected"]
    if connected:
        told = f"no display server, but a screen at {', '.join(connected)}"
        return Finding("screen", Verdict.OK, f"{told}: --fullscreen draws on it")
    return Finding("screen", Verdict.NOTE, "none here, so no window is shown", "set DISPLAY, or use the web page")


def page(settings: WebSettings) -> Finding:
    """The web page's address and key."""
    if settings.address.strip().lower() == "off":
        return Finding("web page", Verdict.OK, "off")
    try:
        host, port = parse_address(settings.address)
        key = load_key(os.environ, settings.key_file)
    except DashcamError as e:
        return Finding("web page", Verdict.WRONG, str(e), "see there")
    if key is None and not is_loopback(host):
        return Finding("web page", Verdict.WRONG, f"{host} without a key", "set DASHCAM_WEB_KEY or web.key_file")
    return Finding("web page", Verdict.OK, f"{host}:{port}, {'with' if key else 'without'} a key")
