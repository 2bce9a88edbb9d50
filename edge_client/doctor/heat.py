"""Temperature, and whether a Raspberry Pi slows itself down.

The bits of `vcgencmd get_throttled` are those of the Raspberry Pi documentation.
"""

from __future__ import annotations

import re

from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine

_WARM_C, _HOT_C = 70.0, 80.0
_SANE_C = (-40.0, 150.0)
_NOW = ((0, "too little voltage"), (1, "clock capped"), (2, "throttled"), (3, "near the temperature limit"))
_SINCE_START = 16
_POWER = "take a supply of 5 V, 3 A or more and a short thick cable; a car socket's USB port is often too weak"
_COOLING = "give it a heat sink and a fan, keep it out of the sun, or lower camera_rate_hz"


def temperature(machine: Machine) -> Finding:
    """The hottest of the kernel's thermal zones, °C."""
    found: list[tuple[float, str]] = []
    for zone in machine.list("/sys/class/thermal", "thermal_zone*"):
        millidegrees = machine.number(zone / "temp")
        if millidegrees is not None and _SANE_C[0] <= millidegrees / 1000 <= _SANE_C[1]:
            found.append((millidegrees / 1000, machine.text(zone / "type") or zone.name))
    if not found:
        return Finding("temperature", Verdict.OK, "this machine does not tell")
    degrees, name = max(found)
    verdict = Verdict.OK if degrees < _WARM_C else Verdict.NOTE if degrees < _HOT_C else Verdict.WRONG
    return Finding("temperature", verdict, f"{degrees:.0f} °C ({name})", "" if verdict is Verdict.OK else _COOLING)


def throttling(machine: Machine) -> Finding | None:
    """What the firmware of a Raspberry Pi says; None on other machines."""
    if "raspberry pi" not in (machine.text("/proc/device-tree/model") or "").lower():
        return None
    answer = machine.command(("vcgencmd", "get_throttled"))
    bits = throttled_bits(answer or "")
    if bits is None:
        advice = "sudo apt install raspi-utils; sudo usermod -aG video $USER"
        return Finding("throttling", Verdict.NOTE, "vcgencmd does not answer", advice)
    now = [text for bit, text in _NOW if bits >> bit & 1]
    before = [text for bit, text in _NOW if bits >> (bit + _SINCE_START) & 1 and text not in now]
    if not now and not before:
        return Finding("throttling", Verdict.OK, "never since the start")
    told = [f"now: {', '.join(now)}"] if now else []
    told += [f"since the start: {', '.join(before)}"] if before else []
    power = any("voltage" in text for text in (*now, *before))
    hot = any("voltage" not in text for text in (*now, *before))
    # Too little voltage caps the clock as well: then the cooling is not to blame.
    advice = _POWER if power else _COOLING if hot else ""
    return Finding("throttling", Verdict.WRONG if now else Verdict.NOTE, "; ".join(told), advice)


def throttled_bits(answer: str) -> int | None:
    """The number in `throttled=0x50005`."""
    match = re.search(r"throttled=(0x[0-9a-fA-F]+)", answer)
    return int(match[1], 16) if match else None
