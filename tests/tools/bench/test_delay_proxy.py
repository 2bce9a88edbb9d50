"""The proxy carries bytes unchanged and in order, both ways, and never before their time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tools.bench.delay_proxy import Gate, delayed


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that sends everything back and closes when its client closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def everything(connection: socket.socket) -> bytes:
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


def test_bytes_come_back_unchanged(echo_port: int) -> None:
    sent = bytes(range(256)) * 2000
    with delayed("127.0.0.1", echo_port, 0.01) as port, socket.create_connection(("127.0.0.1", port)) as client:

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        assert everything(client) == sent
        sender.join()


def test_no_answer_comes_before_a_round_trip(echo_port: int) -> None:
    with delayed("127.0.0.1", echo_port, 0.2) as port, socket.create_connection(("127.0.0.1", port)) as client:
        start = time.monotonic()
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        first = time.monotonic()
        client.sendall(b"again")
        assert client.recv(5) == b"again"
        assert first - start >= 0.4  # the handshake's and its own
        assert time.monotonic() - first >= 0.2


def test_a_server_that_is_not_there_drops_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = int(free.getsockname()[1])
    with delayed("127.0.0.1", nobody, 0.0) as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_leaving_ends_open_connections(echo_port: int) -> None:
    with delayed("127.0.0.1", echo_port, 0.0) as port:
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"x")
        assert client.recv(1) == b"x"
    client.settimeout(20)
    with client, contextlib.suppress(ConnectionResetError):
        assert client.recv(1) == b""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_narrow_road_is_shared_and_never_faster_than_its_rate(echo_port: int) -> None:
    size, rate_bps = 20_000, 2_000_000.0
    with delayed("127.0.0.1", echo_port, 0.0, rate_bps) as port:
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        begun_s = time.monotonic()
        for client in clients:
            client.sendall(b"x" * size)
            client.shutdown(socket.SHUT_WR)
        assert [len(everything(client)) for client in clients] == [size, size]
        assert time.monotonic() - begun_s >= 2 * size * 8 / rate_bps
        for client in clients:
            client.close()


def test_nothing_passes_a_shut_gate_until_it_opens(echo_port: int) -> None:
    gate = Gate()
    with (
        delayed("127.0.0.1", echo_port, 0.0, gate=gate) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        gate.shut()
        client.sendall(b"b")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        gate.open()
        client.settimeout(20)
        assert client.recv(1) == b"b"


def test_a_refusing_gate_breaks_connections_off(echo_port: int) -> None:
    gate = Gate()
    with delayed("127.0.0.1", echo_port, 0.0, gate=gate) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
            gate.shut(refuse=True)
            client.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port)) as client, contextlib.suppress(ConnectionResetError):
            client.settimeout(20)
            assert client.recv(1) == b""
        gate.open()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"c")
            assert client.recv(1) == b"c"
