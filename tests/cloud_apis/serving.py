"""Real servers for the tests: in a thread for the application, as a process for the command."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import uvicorn
import yaml
from starlette.types import ASGIApp

from cloud_apis.http_limits import BoundedHttp
from cloud_apis.settings import ApiSettings, default_config
from tests.cloud_apis.tiny_models import ANCHORS

REPOSITORY = Path(__file__).resolve().parents[2]


def tiny_settings(models: Path, **changes: object) -> ApiSettings:
    """The shipped settings with other models; `yolov3__queue=1` changes a key within a section."""
    return ApiSettings.model_validate(tiny_config(models, **changes))


def tiny_config(models: Path, **changes: object) -> dict[str, object]:
    """The content of a settings file that names a folder of tiny models."""
    content = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    content["models"] = str(models)
    content["yolov3"] |= {
        "labels": ["license-plate"],
        "anchors": ANCHORS,
        "net_h": 416,
        "net_w": 416,
        "obj_thresh": 0.5,
        "nms_thresh": 0.45,
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            content[section][name] = value
        else:
            content[section] = value
    assert isinstance(content, dict)
    return content


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    def install_signal_handlers(self) -> None:
        """Threads have none."""


@contextlib.contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of the loopback; gives its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(
            uvicorn.Config(app, http=BoundedHttp, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert server.up.wait(30)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def command(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `cloud-apis` with the given arguments."""
    environment = {k: v for k, v in os.environ.items() if k != "CLOUD_APIS_KEY"} | dict(env or {})
    return subprocess.Popen(
        [sys.executable, "-m", "cloud_apis", *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serving(
    config: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `cloud-apis serve` on a free port; gives the URL that it prints, and the process."""
    process = command("serve", "--config", str(config), "--port", "0", *arguments, env=env)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "serving on" not in line:
            _, errors = process.communicate()
            raise AssertionError(f"the server did not start: {line}{errors}")
        yield line.split("serving on ")[1].split()[0], process
    finally:
        process.kill()
        process.communicate()


def write_config(folder: Path, models: Path, **changes: object) -> Path:
    """Write a settings file that names a folder of tiny models."""
    file = folder / "apis.yaml"
    file.write_text(yaml.safe_dump(tiny_config(models, **changes)), encoding="utf-8")
    return file
