"""`cloud-apis serve` as a process of its own, for as long as somebody needs it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cloud_apis.names import Api
from cloud_apis.settings import ApiSettings

_PATIENCE_S = 10.0


class ServeError(Exception):
    """The server did not start; the message is what it said last."""


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A server that answers: its URL, without a slash at the end, and its process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    """What it writes, while it runs."""


@contextlib.contextmanager
def served(
    settings: ApiSettings | None = None,
    apis: Sequence[Api] = (),
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """`cloud-apis serve` on a free port of the loopback, until this is left. Raises ServeError when it does not start.

    ``settings`` None are the shipped ones; without ``apis`` it offers all that its models allow; ``arguments`` are
    further options; ``environment`` is added to this process's own, whose key is left out.
    """
    own = {name: value for name, value in os.environ.items() if name != "CLOUD_APIS_KEY"}
    with tempfile.TemporaryDirectory(prefix="cloud-apis-") as name:
        folder = Path(name)
        log = folder / "log"
        command = [sys.executable, "-m", "cloud_apis", "serve", "--port", "0", *arguments]
        command += [word for api in apis for word in ("--api", str(api))]
        if settings is not None:
            config = folder / "apis.yaml"
            config.write_text(yaml.safe_dump(settings.model_dump(mode="json")), encoding="utf-8")
            command += ["--config", str(config)]
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                env=own | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        try:
            yield Served(_url(process, log), process, log)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    assert process.stdout is not None  # noqa: S101 - for the type checker
    line = process.stdout.readline().decode("utf-8", "replace")
    if "serving on " not in line:
        process.wait()
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise ServeError(said[-1] if said else f"cloud-apis serve ended with {process.returncode}")
    return line.split("serving on ")[1].split()[0].rstrip("/")
