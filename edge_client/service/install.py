"""Makes a device run the dashcam as a service: which files, which links, which commands, and doing it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edge_client.errors import ConfigError, DashcamError
from edge_client.service.unit import GROUPS, ServiceSettings, service_unit

UNIT_NAME = "dashcam.service"
_UNITS = Path("/etc/systemd/system")
_RULES = """\
# Written by `dashcam install`: names that stay, whichever port a device is plugged into.
# u-blox receivers
SUBSYSTEM=="tty", ATTRS{idVendor}=="1546", SYMLINK+="dashcam-gps", ENV{ID_MM_DEVICE_IGNORE}="1"
# Quectel EC25, EG25 and EP06: interface 1 talks NMEA, interface 2 takes AT commands. The modem manager keeps the rest.
SUBSYSTEM=="tty", ATTRS{idVendor}=="2c7c", ENV{ID_USB_INTERFACE_NUM}=="01", \\
  SYMLINK+="dashcam-gps", ENV{ID_MM_PORT_IGNORE}="1"
SUBSYSTEM=="tty", ATTRS{idVendor}=="2c7c", ENV{ID_USB_INTERFACE_NUM}=="02", \\
  SYMLINK+="dashcam-at", ENV{ID_MM_PORT_IGNORE}="1"
# SIMCom SIM7600: the same
SUBSYSTEM=="tty", ATTRS{idVendor}=="1e0e", ENV{ID_USB_INTERFACE_NUM}=="01", \\
  SYMLINK+="dashcam-gps", ENV{ID_MM_PORT_IGNORE}="1"
SUBSYSTEM=="tty", ATTRS{idVendor}=="1e0e", ENV{ID_USB_INTERFACE_NUM}=="02", \\
  SYMLINK+="dashcam-at", ENV{ID_MM_PORT_IGNORE}="1"
"""
_ENVIRONMENT = """\
# Keys of the dashcam, read by systemd as root: NAME=VALUE, one a line. Nobody else may read this file.
#DASHCAM_API_KEY=
#DASHCAM_CA_FILE=
#DASHCAM_WEB_KEY=
"""


class Step(StrEnum):
    """What writing a part came to."""

    WRITTEN = "written"
    CHANGED = "changed"
    KEPT = "kept"  # is as it should be, or belongs to the owner


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that the installation writes; one of the owner's is written only where there is none."""

    path: Path
    text: str
    mode: int = 0o644
    owners: bool = False


@dataclass(frozen=True, slots=True)
class PlannedLink:
    """A symbolic link that the installation makes."""

    path: Path
    target: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an installation does, in this order; the commands only on the running system."""

    files: tuple[PlannedFile, ...]
    links: tuple[PlannedLink, ...]
    commands: tuple[tuple[str, ...], ...]


def plan_installation(settings: ServiceSettings, shipped_config: str, *, full_screen: bool = False) -> Plan:
    """What has to be there for the service.

    Args:
        settings: what the unit depends on.
        shipped_config: the text of the settings as shipped.
        full_screen: whether new settings let it draw on the screen, without a display server.

    Raises:
        ConfigError: the unit cannot be written.
    """
    unit = _UNITS / UNIT_NAME
    files = (
        PlannedFile(unit, service_unit(settings, UNIT_NAME)),
        PlannedFile(Path("/etc/sysusers.d/dashcam.conf"), _account(settings.user)),
        PlannedFile(Path("/etc/udev/rules.d/60-dashcam.rules"), _RULES),
        PlannedFile(Path("/etc/tmpfiles.d/dashcam.conf"), _folders(settings)),
        PlannedFile(settings.config, service_config(shipped_config, full_screen=full_screen), owners=True),
        PlannedFile(settings.environment_file, _ENVIRONMENT, mode=0o600, owners=True),
    )
    links = (PlannedLink(_UNITS / "multi-user.target.wants" / UNIT_NAME, unit),)
    commands = (
        ("systemd-sysusers", "/etc/sysusers.d/dashcam.conf"),
        ("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/dashcam.conf"),
        ("udevadm", "control", "--reload"),
        ("udevadm", "trigger", "--subsystem-match=tty"),
        ("systemctl", "daemon-reload"),
    )
    return Plan(files, links, commands)


def service_config(shipped: str, *, full_screen: bool) -> str:
    """The settings that a service begins with: the shipped ones, but a camera that is missing is waited for."""
    text = shipped.replace("\n  wait_for_camera: false\n", "\n  wait_for_camera: true\n")
    return text.replace("\n  full_screen: false\n", "\n  full_screen: true\n") if full_screen else text


def write_parts(plan: Plan, root: Path) -> Iterator[tuple[Path, Step]]:
    """Writes files and links below `root`, each at once or not at all; what is right already is left alone.

    Raises:
        DashcamError: a file cannot be written.
    """
    for file in plan.files:
        path = _below(root, file.path)
        with _explained(path):
            yield path, _write(path, file)
    for link in plan.links:
        path = _below(root, link.path)
        with _explained(path):
            yield path, _link(path, link.target)


def run_commands(plan: Plan) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Runs the commands on this system and yields each with what went wrong, None if nothing did."""
    for command in plan.commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except OSError as e:
            yield command, e.strerror or str(e)
        except subprocess.TimeoutExpired:
            yield command, "it took longer than 60 s"
        else:
            yield command, None if done.returncode == 0 else _last_line(done.stderr) or f"exit code {done.returncode}"


def _account(user: str) -> str:
    if not user.replace("-", "").replace("_", "").isalnum() or user == "root":
        raise ConfigError(f"the service cannot run as {user!r}: name an ordinary account with --user")
    lines = ["# Written by `dashcam install`: the account of the service, and the groups that own its devices."]
    if user == "dashcam":
        lines.append('u dashcam - "Plate dashcam" /var/lib/dashcam')
    return "\n".join([*lines, *(f"m {user} {group}" for group in GROUPS)]) + "\n"


def _folders(settings: ServiceSettings) -> str:
    """Folders that the settings name are made for the account; those that are there keep their owner (the colons)."""
    user = settings.user
    rows = (f'd "{str(folder).replace("%", "%%")}" :0750 :{user} :{user} -' for folder in settings.writable)
    return "\n".join(["# Written by `dashcam install`: folders that the settings name.", *rows]) + "\n"


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _write(path: Path, file: PlannedFile) -> Step:
    there = path.exists()
    if there and (file.owners or path.read_text(encoding="utf-8", errors="replace") == file.text):
        return Step.KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(file.text)
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(file.mode)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return Step.CHANGED if there else Step.WRITTEN


def _link(path: Path, target: Path) -> Step:
    there = path.is_symlink() or path.exists()
    if path.is_symlink() and path.readlink() == target:
        return Step.KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    return Step.CHANGED if there else Step.WRITTEN


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        hint = "; run it as root: sudo dashcam install" if isinstance(e, PermissionError) else ""
        raise DashcamError(f"cannot write {path}: {e.strerror}{hint}") from e


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
