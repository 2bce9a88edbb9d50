"""The systemd unit of the dashcam, written from a few facts about the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_client.errors import ConfigError

STATE_NAME = "dashcam"
"""Name of the folder below /var/lib that belongs to the service."""
GROUPS = ("video", "render", "dialout", "input", "tty")
"""Groups that own cameras, the GPU, serial ports, keys and the console on Debian and Raspberry Pi OS."""

_DEVICES = (
    ("char-video4linux", "rw"),  # cameras, hardware encoder
    ("char-media", "rw"),
    ("char-dma_heap", "rw"),  # picture buffers of libcamera
    ("char-vchiq", "rw"),
    ("char-vcio", "rw"),  # vcgencmd: is the Pi throttled?
    ("char-rpivid-mem", "rw"),
    ("char-ttyUSB", "rw"),  # receivers and modems
    ("char-ttyACM", "rw"),
    ("char-ttyAMA", "rw"),
    ("char-ttyS", "rw"),
    ("char-drm", "rw"),  # the screen without a display server
    ("char-fb", "rw"),
    ("char-tty", "rw"),
    ("char-input", "r"),
)
_TEMPLATE = """\
# Written by `dashcam install`. Change it with `systemctl edit {name}`: the next installation replaces this file.
[Unit]
Description=Plate dashcam
# Nothing here waits for the network: the drive begins with the car, the uplink joins when it is there.
After=local-fs.target
# A fault that comes back at once must not wear out the disk: {burst} starts in {interval_s} s, then it stays down.
StartLimitIntervalSec={interval_s}
StartLimitBurst={burst}

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
{environment}
User={user}
SupplementaryGroups={groups}
UMask=0027
StateDirectory={state}
StateDirectoryMode=0750
WorkingDirectory=/var/lib/{state}

Restart=on-failure
RestartSec=3
# Wrong settings do not become right by trying again.
RestartPreventExitStatus=2
# The drive reports twice a second; one that has hung is ended and started again.
WatchdogSec=30
TimeoutStartSec=120
TimeoutStopSec=30
# The dashcam first, so that it writes everything and ends its children itself.
KillMode=mixed
MemoryMax={memory_max}

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
# Readable, because the program and its settings may lie in a home.
ProtectHome=read-only
{writable}PrivateTmp=yes
DevicePolicy=closed
{devices}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What the unit depends on.

    Attributes:
        source: the camera as `dashcam run` takes it.
        python: the interpreter that has the dashcam installed, absolute.
        config: the settings file, absolute.
        environment_file: file with the keys as NAME=VALUE, read by systemd itself; need not exist.
        user: the account that it runs as.
        writable: folders outside of the state folder that it writes to, absolute.
        memory_max: more than this and the kernel ends it, as systemd writes sizes; leave room for embedded APIs.
        starts, starts_period_s: the cap on starts.
    """

    source: str
    python: Path
    config: Path
    environment_file: Path = Path("/etc/dashcam/environment")
    user: str = "dashcam"
    writable: tuple[Path, ...] = ()
    memory_max: str = "1G"
    starts: int = 10
    starts_period_s: int = 300


def service_unit(settings: ServiceSettings, name: str = "dashcam.service") -> str:
    """The text of the unit.

    Raises:
        ConfigError: a path is not absolute, or something cannot be written into a unit.
    """
    for path in (settings.python, settings.config, settings.environment_file, *settings.writable):
        if not path.is_absolute():
            raise ConfigError(f"the service needs absolute paths, not {path}")
    words = [str(settings.python), "-m", "edge_client", "run", "--config", str(settings.config)]
    environment = [
        "EnvironmentFile=-" + _printable(str(settings.environment_file)).replace("%", "%%"),
        "Environment=PYTHONUNBUFFERED=1 XDG_DATA_HOME=/var/lib XDG_CACHE_HOME=/var/lib/dashcam/cache",
        "Environment=SDL_AUDIODRIVER=dummy",
    ]
    # No flag for the window: one that is asked for by flag and cannot be opened would end the drive.
    return _TEMPLATE.format(
        name=name,
        burst=settings.starts,
        interval_s=settings.starts_period_s,
        command=" ".join(_word(word) for word in [*words, "--", settings.source]),
        environment="\n".join(environment),
        user=_word(settings.user),
        groups=" ".join(GROUPS),
        state=STATE_NAME,
        memory_max=_word(settings.memory_max),
        writable=_writable(settings.writable),
        devices="\n".join(f"DeviceAllow={device} {rights}" for device, rights in _DEVICES),
    )


def _writable(folders: Sequence[Path]) -> str:
    # With "-" a disk that is not plugged in does not keep the service from starting.
    return "".join(f"ReadWritePaths={_quoted(f'-{folder}')}\n" for folder in folders)


def _quoted(word: str) -> str:
    """One word of a list; $ is nothing special there."""
    return _word(word).replace("$$", "$")


def _word(word: str) -> str:
    """One word of a command as systemd reads it: % and $ stand for themselves, blanks and quotes do not split."""
    text = _printable(word).replace("%", "%%").replace("$", "$$")
    if not text or any(c in text for c in " \"'\\;"):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ConfigError(f"{text!r} cannot stand in a unit: it holds characters that are not printable")
    return text
