"""The way out: the interface or address that requests are bound to."""

from __future__ import annotations

import ipaddress
import socket

from edge_client.config import ApiSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.machine import Machine

_MODEM = "nmcli device; nmcli connection up MODEM; is the SIM card's PIN off?"


def way_out(settings: ApiSettings, machine: Machine) -> Finding:
    """Whether the interface is there and up, or the address is one of this machine."""
    if settings.interface is not None:
        return _interface(settings.interface, machine)
    if settings.source_address is not None:
        if _is_ours(settings.source_address):
            return Finding("way out", Verdict.OK, f"from {settings.source_address}")
        told = f"no interface has the address {settings.source_address} now"
        return Finding("way out", Verdict.WRONG, told, "better name the interface: apis.interface")
    return Finding("way out", Verdict.OK, "as the system routes")


def _interface(name: str, machine: Machine) -> Finding:
    folder = f"/sys/class/net/{name}"
    there = [path.name for path in machine.list("/sys/class/net", "*") if path.name != "lo"]
    if name not in there:
        told = f"there is no interface {name}; there are: {', '.join(there) or 'none'}"
        return Finding("way out", Verdict.WRONG, told, f"plug the modem in, or correct apis.interface; {_MODEM}")
    state = machine.text(f"{folder}/operstate") or "unknown"
    # Modems and tunnels know no carrier and stay "unknown" while they work.
    carrier = machine.number(f"{folder}/carrier")
    if state in ("up", "unknown") and carrier != 0:
        return Finding("way out", Verdict.OK, f"{name}, {state}")
    return Finding("way out", Verdict.WRONG, f"{name} is {state}", _MODEM)


def _is_ours(address: str) -> bool:
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((address, 0))
        except OSError:
            return False
    return True
