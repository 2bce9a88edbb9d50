"""What this machine must have before Ray's launcher is started; each lack is one line that says how to mend it."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.errors import ClusterError
from deploy.settings.aws import AwsTarget

Find = Callable[[str], str | None]
"""Where a program is, None if it is nowhere: `shutil.which`."""

_PROGRAMS = {
    "ssh": "install OpenSSH's client (apt install openssh-client)",
    "rsync": "install it (apt install rsync)",
}
_SSM_PROGRAMS = {
    "aws": "install the AWS CLI, version 2, or set target.ssh.through to network",
    "session-manager-plugin": "install AWS's session-manager-plugin, or set target.ssh.through to network",
}


def ray_program(find: Find = shutil.which) -> str:
    """Ray's launcher, that of this environment first; raises `ClusterError` when there is none."""
    beside = Path(sys.executable).parent / "ray"
    found = str(beside) if beside.is_file() else find("ray")
    if found is None:
        raise ClusterError("there is no Ray here: pip install 'plate-dashcam[ray]'")
    return found


def check(target: AwsTarget, find: Find = shutil.which) -> None:
    """Raise `ClusterError` that names everything that is missing, one after the other."""
    missing = list(_missing(target, find))
    if missing:
        raise ClusterError("; ".join(missing))


def _missing(target: AwsTarget, find: Find) -> Iterator[str]:
    programs = _PROGRAMS | (_SSM_PROGRAMS if target.ssh.through == "ssm" else {})
    for name, remedy in programs.items():
        if find(name) is None:
            yield f"there is no {name} here: {remedy}"
    key = target.ssh.private_key
    if not key.is_file():
        yield f"there is no private key {key} (target.ssh.private_key)"
    elif key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"others may read the private key {key}, which ssh refuses: chmod 600 {key}"
    for name, file in _files(target):
        if not file.is_file():
            yield f"there is no file {file} ({name})"


def _files(target: AwsTarget) -> Iterator[tuple[str, Path]]:
    if target.redis is not None and target.redis.password_file is not None:
        yield "target.redis.password_file", target.redis.password_file
    if target.package.constraints is not None:
        yield "target.package.constraints", target.package.constraints
    if target.package.wheel is not None:
        yield "target.package.requirement", target.package.wheel


def make_token(file: Path) -> bool:
    """Make the cluster's token, readable by its owner alone, unless there is one; true if it was made.

    Raises `ClusterError` where it cannot be written.
    """
    failed = f"cannot make the cluster's token {file} (target.token_file)"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "x", encoding="ascii", opener=_private) as stream:
            stream.write(secrets.token_hex(32))
    except FileExistsError:
        if file.is_file():
            return False
        raise ClusterError(f"{failed}: something else is in its way") from None
    except OSError as error:
        raise ClusterError(f"{failed}: {error.strerror}") from error
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
