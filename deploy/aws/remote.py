"""The commands that a machine on AWS runs to become part of the cluster. Pure: settings in, shell lines out.

Everything that comes from the settings is quoted for the shell. Secrets are files, copied beforehand; no line has one.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib import metadata
from typing import Final

from deploy.serving.environment import NODE_ENVIRONMENT
from deploy.settings.aws import AwsTarget

HOME: Final = "~/.plates"
TOKEN: Final = "~/.ray/auth_token"  # noqa: S105 - where Ray looks for it
REDIS_PASSWORD: Final = f"{HOME}/redis-password"
CONSTRAINTS: Final = f"{HOME}/constraints.txt"
_BIN = "$HOME/.plates/python/bin"
_APT = "sudo DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
_PORT = 6379
_HEAD_GONE_S = 900
"""How long workers go on serving without a head that can come back; Ray's own 60 s are too few to restart it."""
_ENVIRONMENT: Mapping[str, str] = {**NODE_ENVIRONMENT, "RAY_AUTH_MODE": "token"}


def wheel_place(target: AwsTarget) -> str | None:
    """Where the package's wheel is copied to, None if it comes from an index."""
    wheel = target.package.wheel
    return None if wheel is None else f"{HOME}/{wheel.name}"


def install(target: AwsTarget, *, gpu: bool) -> list[str]:
    """Install the package with the same Ray as here into an environment of its own."""
    package = target.package
    options = "" if package.index_url is None else f" --index-url {shlex.quote(package.index_url)}"
    if package.constraints is not None:
        options += f" --constraint {_here(CONSTRAINTS)}"
    ray = shlex.quote(f"ray=={metadata.version('ray')}")
    pip = f"{_BIN}/python -m pip install --quiet{options}"
    requirement = _requirement(target, "ray-gpu" if gpu else "ray")
    lines = [
        f"{_APT} update && {_APT} install -y python3-venv rsync",
        f"test -x {_BIN}/python || python3 -m venv $HOME/.plates/python",
        f"{pip} {ray} {requirement}",
        f"grep -qs '.plates/python/bin' ~/.bashrc || echo 'export PATH=\"{_BIN}:$PATH\"' >> ~/.bashrc",
    ]
    if (place := wheel_place(target)) is not None:  # pip takes a wheel of a version that is there for nothing new
        lines.insert(3, f"{pip} --no-deps --force-reinstall {_here(place)}")
    return ["nvidia-smi --list-gpus", *lines] if gpu else lines


def start_head(target: AwsTarget) -> list[str]:
    """Start the cluster's own processes; the dashboard is open to this machine alone, that is to the tunnel."""
    options = [
        "--head",
        f"--port={_PORT}",
        "--dashboard-host=127.0.0.1",
        "--autoscaling-config=~/ray_bootstrap_config.yaml",
    ]
    environment = dict(_ENVIRONMENT)
    if target.redis is not None:
        environment |= {
            "RAY_REDIS_ADDRESS": target.redis.address,
            "RAY_external_storage_namespace": target.cluster_name,
        }
        if target.redis.password_file is not None:
            options.append(f'--redis-password="$(cat {_here(REDIS_PASSWORD)})"')
    return [f"{_BIN}/ray stop", _start(environment, options)]


def start_worker(target: AwsTarget) -> list[str]:
    """Join the cluster, and sign on at the load balancer if there is one."""
    environment = dict(_ENVIRONMENT)
    if target.redis is not None:
        environment["RAY_gcs_rpc_server_reconnect_timeout_s"] = str(_HEAD_GONE_S)
    lines = [f"{_BIN}/ray stop", _start(environment, [f"--address=$RAY_HEAD_IP:{_PORT}"])]
    if target.target_group is not None:
        lines.append(
            f"{_BIN}/python -m deploy.aws.sign_on --region {shlex.quote(target.region)} "
            f"--port {target.http_port} {shlex.quote(target.target_group)}"
        )
    return lines


def _start(environment: Mapping[str, str], options: list[str]) -> str:
    exported = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    return f"ulimit -n 65536; export {exported}; {_BIN}/ray start {' '.join(options)}"


def _requirement(target: AwsTarget, extra: str) -> str:
    if (place := wheel_place(target)) is not None:
        return f"{_here(place)}{shlex.quote(f'[{extra}]')}"
    name, _, version = target.package.requirement.partition("==")
    return shlex.quote(f"{name.strip()}[{extra}]=={version}")


def _here(place: str) -> str:
    """A path below the home folder as the shell expands it; the rest is quoted."""
    return f"$HOME/{shlex.quote(place.removeprefix('~/'))}"
