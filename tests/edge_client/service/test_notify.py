"""Messages to the service manager, over a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_client.service.notify import ServiceManager, service_manager


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(5)
        yield path, server


def test_the_first_sign_of_life_tells_that_the_service_has_started(listener: tuple[str, socket.socket]) -> None:
    path, server = listener
    manager = ServiceManager({"NOTIFY_SOCKET": path})
    assert manager.listens
    manager.alive("10 frames\n  30.0/s")
    manager.alive("20 frames")
    manager.stopping()
    manager.close()
    manager.alive("afterwards")
    messages = [server.recv(4096).decode() for _ in range(3)]
    assert messages == [
        "READY=1\nWATCHDOG=1\nSTATUS=10 frames 30.0/s",
        "WATCHDOG=1\nSTATUS=20 frames",
        "STOPPING=1",
    ]
    server.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        server.recv(4096)


def test_the_abstract_namespace() -> None:
    name = f"dashcam-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name)
        server.settimeout(5)
        ServiceManager({"NOTIFY_SOCKET": "@" + name}).stopping()
        assert server.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "relative/path", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.alive("well")
    manager.stopping()
    manager.close()
    manager.close()


def test_a_manager_that_does_not_listen_holds_nobody_up(listener: tuple[str, socket.socket]) -> None:
    path, server = listener
    manager = ServiceManager({"NOTIFY_SOCKET": path})
    for number in range(5000):  # more than any socket's queue takes
        manager.alive(f"{number}")
    assert server.recv(4096).endswith(b"STATUS=0")


def test_children_do_not_speak_in_its_name(
    listener: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, server = listener
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    manager = service_manager()
    assert "NOTIFY_SOCKET" not in os.environ
    manager.stopping()
    assert server.recv(4096) == b"STOPPING=1"
