"""Serving the application with uvicorn: address, key, certificate, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import ssl
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from cloud_apis.errors import StartError

KEY_VARIABLE = "CLOUD_APIS_KEY"
# An answer that is under way may take this long after the signal to end.
_GRACE_S = 1
# Longer than the pauses between a device's requests, so that its connections last.
_KEEP_ALIVE_S = 75


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to listen; port 0 is any free one, which is then written to `port_file`."""

    host: str
    port: int
    port_file: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_api_key(file: str | None) -> str | None:
    """The API key: the file's first line, else the variable CLOUD_APIS_KEY, else none.

    Raises `StartError` when the file cannot be read or the key is not printable ASCII.
    """
    if file is None:
        key, source = os.environ.get(KEY_VARIABLE), f"the variable {KEY_VARIABLE}"
        if key is None:
            return None
    else:
        source = f"the key file {file}"
        try:
            key = Path(file).read_text(encoding="utf-8").partition("\n")[0].strip()
        except OSError as error:
            raise StartError(f"cannot read {source}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise StartError(f"{source} is not text") from error
    if not key or not key.isascii() or not key.isprintable():
        raise StartError(f"{source} does not hold a key of printable ASCII characters")
    return key


def bind(endpoint: Endpoint) -> socket.socket:
    """A socket at the address, which refuses connections until it is served.

    Raises `StartError` when the address cannot be had.
    """
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise StartError(f"cannot resolve the host {endpoint.host!r}: {error.strerror}") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise StartError(f"cannot listen on {endpoint.host}:{endpoint.port}: {reason}") from error
    return listener


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
        lifespan="on",
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"cannot use the certificate {endpoint.certfile}: {error}") from error
    _Server(config, endpoint, parent_pid).run([listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which tells where it listens and takes a signal as an ordinary end."""

    def __init__(self, config: uvicorn.Config, endpoint: Endpoint, parent_pid: int | None) -> None:
        super().__init__(config)
        self._endpoint = endpoint
        self._parent_pid = parent_pid

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        if self.should_exit or not sockets:
            return
        if self._parent_pid is not None:
            self._watch(self._parent_pid)
        port = sockets[0].getsockname()[1]
        if self._endpoint.port_file:
            _write_port(self._endpoint.port_file, port)
        host = f"[{self._endpoint.host}]" if ":" in self._endpoint.host else self._endpoint.host
        scheme = "https" if self.config.is_ssl else "http"
        print(f"cloud-apis: serving on {scheme}://{host}:{port} (documentation at /docs)", flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """End in order on the first signal, at once on the second."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self.force_exit = self.should_exit
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
