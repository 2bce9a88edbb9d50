"""Where the server listens and who may ask it: address, certificate and API key."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from cloud_apis.errors import StartError

KEY_VARIABLE = "CLOUD_APIS_KEY"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to listen; port 0 is any free one, which is then written to `port_file`."""

    host: str
    port: int
    port_file: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None


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
