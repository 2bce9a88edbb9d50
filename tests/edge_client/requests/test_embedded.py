"""The child is a real process: a small server that keeps the promises of `cloud-apis serve`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_client.config import ApiSettings
from edge_client.errors import ApiUnreachableError, EmbeddedApiError
from edge_client.requests.embedded import EmbeddedApis, api_command

CHILD = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
with open(sys.argv[1] + ".new", "w") as f: f.write(str(server.server_address[1]))
os.replace(sys.argv[1] + ".new", sys.argv[1])
print("ready", os.getpid())
server.serve_forever()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "apis.log"


def embedded(code: str, log: Path, **settings: float) -> EmbeddedApis:
    apis = EmbeddedApis(ApiSettings(embedded_log=log, **settings))  # type: ignore[arg-type]
    apis._command = [sys.executable, "-c", code, str(apis._port_file)]
    return apis


@pytest.fixture
def apis(log: Path) -> Iterator[EmbeddedApis]:
    running = embedded(CHILD, log)
    assert running.start(threading.Event())
    yield running
    running.close()


def pid_of(apis: EmbeddedApis) -> int:
    assert apis._process is not None
    return apis._process.pid


def wait_for_port(apis: EmbeddedApis, *, there: bool) -> None:
    with apis._condition:
        assert apis._condition.wait_for(lambda: (apis._port is not None) is there, 20)


def test_the_command_is_that_of_the_served_apis(tmp_path: Path) -> None:
    command = api_command(ApiSettings(embedded_config=tmp_path / "apis.yaml"), tmp_path / "port")
    assert command[:4] == [sys.executable, "-m", "cloud_apis", "serve"]
    assert command[4:] == [
        *("--host", "127.0.0.1", "--port", "0", "--port-file", str(tmp_path / "port")),
        *("--exit-with-parent", "--api", "yolov3", "--api", "crnn", "--config", str(tmp_path / "apis.yaml")),
    ]
    with_cars = api_command(ApiSettings(), tmp_path / "port", vehicles=True)
    assert with_cars[-2:] == ["--api", "vehicle-report"]


def test_endpoints_are_known_when_the_child_is_ready(apis: EmbeddedApis) -> None:
    assert apis.yolov3_url().startswith("http://127.0.0.1:")
    assert apis.crnn_url().endswith("/crnn")


def test_a_dead_child_is_started_again(apis: EmbeddedApis) -> None:
    first = pid_of(apis)
    os.kill(first, signal.SIGKILL)
    wait_for_port(apis, there=False)
    with pytest.raises(ApiUnreachableError):
        apis.crnn_url()
    wait_for_port(apis, there=True)
    assert pid_of(apis) != first
    assert apis.yolov3_url()


def test_restarts_are_bounded(log: Path) -> None:
    apis = embedded(CHILD, log, embedded_restarts=0)
    assert apis.start(threading.Event())
    os.kill(pid_of(apis), signal.SIGKILL)
    apis._thread.join(20)
    assert not apis._thread.is_alive()
    with pytest.raises(ApiUnreachableError):
        apis.yolov3_url()
    apis.close()


def test_close_ends_the_child(log: Path) -> None:
    apis = embedded(CHILD, log)
    apis.start(threading.Event())
    pid = pid_of(apis)
    apis.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "ready" in log.read_text()


def test_a_child_that_ignores_the_end_is_killed(log: Path) -> None:
    apis = embedded("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD, log)
    apis.start(threading.Event())
    pid = pid_of(apis)
    apis.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_cannot_start_is_a_clear_error(log: Path) -> None:
    apis = embedded("raise SystemExit('no model files')", log)
    with pytest.raises(EmbeddedApiError, match=f"could not be started.*{log.name}.*no model files"):
        apis.start(threading.Event())
    apis.close()


def test_a_child_that_is_never_ready_is_a_clear_error(log: Path) -> None:
    apis = embedded("import time; time.sleep(60)", log, embedded_start_timeout_s=0.3)
    with pytest.raises(EmbeddedApiError, match=r"not ready after 0.3 s"):
        apis.start(threading.Event())
    apis.close()


def test_starting_can_be_stopped(log: Path) -> None:
    apis = embedded("import time; time.sleep(60)", log)
    stop = threading.Event()
    stop.set()
    begun_s = time.monotonic()
    assert not apis.start(stop)
    apis.close()
    assert time.monotonic() - begun_s < 30
    assert not apis._thread.is_alive()
