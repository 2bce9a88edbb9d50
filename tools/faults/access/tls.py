"""Certificates that are not the server's, and plain HTTP where TLS is asked for, before the dashcam's own transport."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cloud_apis.names import Api
from edge_client.config import PoolSettings
from edge_client.errors import ApiError
from edge_client.requests.transport import Body, Transport
from tools.faults.access.certificates import Authority
from tools.faults.access.raw import get, status
from tools.faults.access.tries import Tries
from tools.faults.listening import Listening
from tools.faults.row import Row
from tools.serving import served

_DAY = timedelta(days=1)
_BODY = Body(data=b"\xff\xd8 picture", content_type="image/jpeg")
_KEY = "a key that nobody else may see"
_SETTINGS = PoolSettings(read_timeout_s=10.0, connect_timeout_s=10.0, retry_jitter_s=0.001)


class TlsServer(Listening):
    """Answers each request with empty boxes, over TLS if there is a context, and takes down whether a key came."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.saw_key = False
        self._context = context
        super().__init__()

    def answer(self, connection: socket.socket) -> None:
        """As `Listening` has it."""
        if self._context is None:
            self._reply(connection)
        else:
            with self._context.wrap_socket(connection, server_side=True) as wrapped:
                self._reply(wrapped)

    def _reply(self, connection: socket.socket) -> None:
        # To the end: a connection that is closed with something unread is reset, and its answer with it.
        request = connection.recv(65536)
        while request.startswith(b"POST") and len(request.partition(b"\r\n\r\n")[2]) < _BODY.size:
            if not (piece := connection.recv(65536)):
                break
            request += piece
        self.saw_key |= _KEY.encode() in request
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"boxes":[]}')


def _context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _taken(url: str, ca_file: Path | None) -> bool:
    """Whether the dashcam's transport takes an answer from there."""
    transport = Transport(_SETTINGS, {"X-API-Key": _KEY}, None if ca_file is None else str(ca_file))
    try:
        return transport.post(url, _BODY) == {"boxes": []}
    except ApiError:
        return False


def rows(folder: Path) -> Iterator[Row]:
    """The dashcam before servers that are not what they say, and our server before clients without TLS."""
    authority, foreign = Authority(folder), Authority(folder, "Foreign authority")
    right = authority.sign("right", "127.0.0.1", -_DAY, _DAY)
    wrong = {
        "expired": authority.sign("expired", "127.0.0.1", -2 * _DAY, -_DAY),
        "not valid yet": authority.sign("early", "127.0.0.1", _DAY, 2 * _DAY),
        "of another host": authority.sign("host", "apis.example", -_DAY, _DAY),
        "of a foreign authority": foreign.sign("foreign", "127.0.0.1", -_DAY, _DAY),
    }
    tries = Tries("a server whose certificate is not right", "no answer is taken, the key is never sent")
    for name, certificate in wrong.items():
        with TlsServer(_context(certificate.file)) as server:
            taken = _taken(f"https://127.0.0.1:{server.port}/yolov3", authority.file)
            tries.refused(f"certificate {name}", not taken and not server.saw_key)
    with TlsServer(_context(right.file)) as server:
        url = f"https://127.0.0.1:{server.port}/yolov3"
        tries.refused("an authority that nobody named", not _taken(url, None) and not server.saw_key)
        tries.welcome("the right certificate", _taken(url, authority.file) and server.saw_key)
    yield tries.row()
    tries = Tries("plain HTTP where TLS is asked for", "refused on both sides, the key is never sent")
    with TlsServer(None) as server:
        taken = _taken(f"https://127.0.0.1:{server.port}/yolov3", authority.file)
        tries.refused("a server without TLS", not taken and not server.saw_key)
    arguments = ("--certfile", str(right.file))
    with served(apis=(Api.YOLOV3,), arguments=arguments) as apis:
        answer = get(apis.url, "/v2/health/live")
        tries.refused("a client without TLS", status(answer) == 0)
        tries.refused("TLS of before 1.2", not _old_tls(apis.url))
        tries.welcome("a client with TLS", _speaks_tls(apis.url, authority.file))
    yield tries.row()


def _connected(url: str, context: ssl.SSLContext) -> bool:
    host, _, port = url.rpartition("/")[2].rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            return connection.version() is not None
    except OSError:
        return False


def _old_tls(url: str) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(ValueError, ssl.SSLError):  # where this machine does not know it any more
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return _connected(url, context)
    return False


def _speaks_tls(url: str, ca_file: Path) -> bool:
    return _connected(url, ssl.create_default_context(cafile=str(ca_file)))
