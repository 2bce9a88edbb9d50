"""Serving the application with uvicorn, and ending in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys
from collections.abc import Generator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from cloud_apis.endpoint import Endpoint
from cloud_apis.errors import StartError
from cloud_apis.http_limits import BoundedHttp

# An answer that is under way may take this long after the signal to end.
_GRACE_S = 1
# Longer than the pauses between a device's requests, so that its connections last.
_KEEP_ALIVE_S = 75


def serve(app: ASGIApp, endpoint: Endpoint, listener: socket.socket, parent_pid: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT, or until the process `parent_pid` has ended; then end in order.

    Raises `StartError` when the certificate is no good or the port file cannot be written.
    """
    config = uvicorn.Config(
        app,
        ssl_certfile=endpoint.certfile,
        ssl_keyfile=endpoint.keyfile,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        http=BoundedHttp,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"cannot use the certificate {endpoint.certfile}: {error}") from error
    server = _Server(config, endpoint, parent_pid)
    server.run([listener])
    if server.problem:
        raise server.problem


class _Server(uvicorn.Server):
    """uvicorn's server, which tells where it listens and takes a signal as an ordinary end."""

    def __init__(self, config: uvicorn.Config, endpoint: Endpoint, parent_pid: int | None) -> None:
        super().__init__(config)
        self._endpoint = endpoint
        self._parent_pid = parent_pid
        self.problem: StartError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        if self.should_exit or not sockets:
            return
        port = sockets[0].getsockname()[1]
        try:
            if self._parent_pid is not None:
                self._watch(self._parent_pid)
            if self._endpoint.port_file:
                _write_port(self._endpoint.port_file, port)
        except StartError as error:  # raised from here, it would leave the application half started
            self.problem, self.should_exit = error, True
            return
        host = f"[{self._endpoint.host}]" if ":" in self._endpoint.host else self._endpoint.host
        scheme = "https" if self.config.is_ssl else "http"
        print(f"cloud-apis: serving on {scheme}://{host}:{port} (documentation at /docs)", flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take a signal as the wish to end in order; more of them change nothing, since the end is near.

        A terminal and a parent may well send one each.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self.should_exit = True

    def _watch(self, pid: int) -> None:
        if sys.platform != "linux":
            raise StartError("--exit-with-parent works on Linux only")
        loop = asyncio.get_running_loop()
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            self.should_exit = True
            return
        loop.add_reader(process, self._parent_ended, process)

    def _parent_ended(self, process: int) -> None:
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)
        self.should_exit = True


def _write_port(file: Path, port: int) -> None:
    """Write the port in one step, so that whoever waits for the file never reads half of it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(f"{port}\n", encoding="ascii")
        draft.replace(file)
    except OSError as error:
        raise StartError(f"cannot write the port file {file}: {error.strerror}") from error
