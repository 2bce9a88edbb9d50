"""The prediction APIs as a child process on a free loopback port, watched and started again when they die."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cloud_apis.contract import CRNN_PATH, YOLOV3_PATH
from cloud_apis.contract.vehicles import REPORT_PATH
from edge_client.config import ApiSettings
from edge_client.errors import ApiUnreachableError, EmbeddedApiError
from edge_client.requests.endpoints import STARTING

_LOG = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_LOOK_S = 0.02
_TERMINATE_S = 1.5
_STOP_S = 0.1
_PLATES = ("yolov3", "crnn")
_VEHICLES = "vehicle-report"


def api_command(settings: ApiSettings, port_file: Path, *, vehicles: bool = False) -> list[str]:
    """The command that serves the APIs on a free port, which it writes to the file when it is ready.

    Those about ``vehicles`` cost memory of their own.
    """
    command = [sys.executable, "-m", "cloud_apis", "serve", "--host", _HOST, "--port", "0"]
    command += ["--port-file", str(port_file), "--exit-with-parent"]
    for api in (*_PLATES, _VEHICLES) if vehicles else _PLATES:
        command += ["--api", api]
    if settings.embedded_config is not None:
        command += ["--config", str(settings.embedded_config)]
    return command


class EmbeddedApis:
    """Endpoints of a child process.

    ``begin`` starts it and returns at once; ``start`` returns when the APIs are ready and raises `EmbeddedApiError`
    when they cannot be had. When the child dies it is started again, so many times as the settings allow; meanwhile
    there is no endpoint. APIs about ``vehicles`` that cannot be started with the others are left out.
    """

    def __init__(self, settings: ApiSettings, command: Sequence[str] | None = None, *, vehicles: bool = False) -> None:
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="dashcam-apis-"))
        self._port_file = self._folder / "port"
        self._log_file = settings.embedded_log or self._folder / "apis.log"
        self._vehicles = vehicles and command is None
        self._command = list(command or api_command(settings, self._port_file, vehicles=vehicles))
        self._condition = threading.Condition()
        self._port: int | None = None
        self._error: str | None = None
        self._started = False
        self._begun = False
        self._listeners: list[Callable[[], None]] = []
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keep_folder = False
        # One thread starts and watches the child: a child that ends with its parent may mean the thread.
        self._thread = threading.Thread(target=self._watch, name="embedded-apis", daemon=True)

    def begin(self) -> None:
        """Start the child; what becomes of it the endpoints tell, and the log."""
        self._begun = True
        self._thread.start()

    def start(self, stop: threading.Event) -> bool:
        """Start the child and wait until it is ready; False when ``stop`` was set before."""
        self._thread.start()
        with self._condition:
            while not self._condition.wait_for(lambda: self._port is not None or self._error is not None, _STOP_S):
                if stop.is_set():
                    return False
            if self._error is not None:
                raise EmbeddedApiError(self._error)
            return True

    def yolov3_url(self) -> str:
        """URL of the detector; raises `ApiUnreachableError` while the child is down."""
        return self._url(YOLOV3_PATH)

    def crnn_url(self) -> str:
        """URL of the reader; raises `ApiUnreachableError` while the child is down."""
        return self._url(CRNN_PATH)

    def report_url(self) -> str:
        """URL of the vehicle report; raises `ApiUnreachableError` while the child is down."""
        return self._url(REPORT_PATH)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """As `Endpoints.subscribe`; called from the thread that watches the child, at once if it is ready."""
        with self._condition:
            self._listeners.append(listener)
            ready = self._port is not None
        if ready:
            listener()

    def release(self) -> None:
        """Ask the child to end, as nobody needs it any more; returns at once."""
        self._closing.set()
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()

    def close(self) -> None:
        """End the child, by force when it does not end in time."""
        self.release()
        process = self._process
        if self._thread.ident is not None:
            self._thread.join(_TERMINATE_S)
            if self._thread.is_alive() and process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                self._thread.join(_TERMINATE_S)
        if not self._keep_folder:
            for file in (self._port_file, self._folder / "apis.log"):
                file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._folder.rmdir()

    def _url(self, path: str) -> str:
        port = self._port
        if port is None:
            fresh = not self._started and self._error is None
            raise ApiUnreachableError(STARTING if fresh else self._error or "the embedded APIs are down")
        return f"http://{_HOST}:{port}{path}"

    def _watch(self) -> None:
        starts_left = self._settings.embedded_restarts
        while not self._closing.is_set():
            died = self._run_once()
            if self._closing.is_set():
                return
            self._keep_folder = True
            if self._vehicles and not self._started:
                self._vehicles = False
                self._command = api_command(self._settings, self._port_file)
                _LOG.warning("the embedded APIs %s: without the vehicles', again%s", died, self._last_words())
                continue
            if not died.startswith("ended") or starts_left <= 0:
                self._fail(f"the embedded APIs {died}; their log is {self._log_file}{self._last_words()}")
                return
            starts_left -= 1
            _LOG.warning("the embedded APIs %s, starting them again; their log is %s", died, self._log_file)

    def _run_once(self) -> str:
        """Start the child, announce its port, and wait for its end; says what became of it."""
        self._port_file.unlink(missing_ok=True)
        try:
            with self._log_file.open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for us: frames in flight still need their answers
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
        except OSError as error:
            return f"could not be started: {error.strerror}"
        self._process = process
        if self._closing.is_set():
            process.terminate()
        try:
            port = self._await_port(process)
            if port is None:
                if process.poll() is None and not self._closing.is_set():
                    process.kill()
                    process.wait()
                    return f"were not ready after {self._settings.embedded_start_timeout_s:g} s"
                code = process.wait()
                return f"could not be started (exit status {code})"
            self._announce(port)
            return f"ended with exit status {process.wait()}"
        finally:
            self._announce(None)

    def _await_port(self, process: subprocess.Popen[bytes]) -> int | None:
        """Wait for the child's end, looking for its port file in between: a file cannot be waited for."""
        end_s = time.monotonic() + self._settings.embedded_start_timeout_s
        while time.monotonic() < end_s and not self._closing.is_set():
            with contextlib.suppress(OSError, ValueError):
                return int(self._port_file.read_text(encoding="ascii"))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_S)
                return None
        return None

    def _announce(self, port: int | None) -> None:
        with self._condition:
            self._port = port
            self._started = self._started or port is not None
            self._condition.notify_all()
            listeners = tuple(self._listeners) if port is not None else ()
        for listener in listeners:
            listener()

    def _fail(self, message: str) -> None:
        if self._started or self._begun:
            _LOG.warning("%s", message)
        with self._condition:
            self._error = message
            self._condition.notify_all()

    def _last_words(self) -> str:
        try:
            lines = self._log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return f" and ends with: {lines[-1][:200]}" if lines else ""
