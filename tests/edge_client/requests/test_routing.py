from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_client.config import PoolSettings
from edge_client.errors import ApiUnreachableError
from edge_client.requests.routes import RouteWatch
from edge_client.requests.routing import WayOut
from edge_client.requests.transport import Body, Transport
from tests.edge_client.fake_apis import FakeApis, fake_apis

QUICK = PoolSettings(connect_timeout_s=1.0, read_timeout_s=5.0, retry_jitter_s=0.01)
JPEG = Body(data=b"jpeg", content_type="image/jpeg")


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


def may_bind() -> bool:
    """Kernels before 5.7 let only the superuser choose an interface."""
    with socket.socket() as s:
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        except OSError:
            return False
    return True


binding = pytest.mark.skipif(not may_bind(), reason="this process may not choose an interface")


@pytest.mark.parametrize(
    "way",
    [WayOut(), pytest.param(WayOut(interface="lo"), marks=binding), WayOut(source_address="127.0.0.3")],
)
def test_requests_take_their_way(apis: FakeApis, way: WayOut) -> None:
    transport = Transport(QUICK, way_out=way)
    assert transport.post(apis.yolov3, JPEG) == transport.post(apis.yolov3, JPEG)


def test_requests_leave_from_the_address(apis: FakeApis) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        came: list[str] = []

        def serve() -> None:
            connection, address = listener.accept()
            came.append(address[0])
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/yolov3"
        Transport(QUICK, way_out=WayOut(source_address="127.0.0.3")).post(url, JPEG)
        thread.join(10)
    assert came == ["127.0.0.3"]


@binding
def test_an_interface_that_is_not_there_is_an_unreachable_network(apis: FakeApis) -> None:
    transport = Transport(QUICK, way_out=WayOut(interface="wwan77"))
    with pytest.raises(ApiUnreachableError, match=r"the network interface wwan77 is not there \(yet\)"):
        transport.post(apis.yolov3, JPEG)
    assert apis.requests == {}


def test_an_address_that_is_not_there_is_an_unreachable_network(apis: FakeApis) -> None:
    transport = Transport(QUICK, way_out=WayOut(source_address="203.0.113.7"))
    with pytest.raises(ApiUnreachableError, match=r"this machine does not have the address 203.0.113.7 \(yet\)"):
        transport.post(apis.yolov3, JPEG)


@binding
def test_a_proxy_is_reached_by_the_same_way(apis: FakeApis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", apis.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ApiUnreachableError, match="wwan77 is not there"):
        Transport(QUICK, way_out=WayOut(interface="wwan77")).post("http://apis.invalid/yolov3", JPEG)


def test_a_renewed_transport_uses_no_connection_of_before() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        came: list[int] = []

        def serve() -> None:
            for _ in range(2):
                connection, address = listener.accept()
                came.append(address[1])
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/yolov3"
        transport = Transport(QUICK)
        transport.post(url, JPEG)
        transport.post(url, JPEG)
        transport.renew()
        transport.post(url, JPEG)
        thread.join(10)
    assert len(came) == 2


def test_changes_of_addresses_are_told() -> None:
    ip = shutil.which("ip")
    if ip is None or os.geteuid() != 0:
        pytest.skip("changing an address needs the command ip and the superuser")
    changed = threading.Event()
    watch = RouteWatch(changed.set)
    try:
        if not watch.active:
            pytest.skip("the system does not tell of changes")
        address = ("127.77.7.7/32", "dev", "lo")
        if subprocess.run([ip, "addr", "add", *address], capture_output=True, check=False).returncode != 0:
            pytest.skip("this process may not change addresses")
        try:
            assert changed.wait(30)
        finally:
            subprocess.run([ip, "addr", "del", *address], capture_output=True, check=False)
    finally:
        watch.close()


def test_watching_routes_ends_at_once() -> None:
    watch = RouteWatch(lambda: None)
    watch.close()
    assert not any(thread.name == "routes" for thread in threading.enumerate())


def test_the_key_and_a_proxys_password_never_reach_the_log(
    apis: FakeApis, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    transport = Transport(QUICK, {"X-API-Key": "very-secret"})
    transport.post(apis.yolov3, JPEG)
    assert apis.headers[0]["X-API-Key"] == "very-secret"
    apis.drop = lambda _path, _number: True
    said = ""
    for url in (
        apis.yolov3,
        apis.yolov3.replace("//", "//user:hidden@"),
        f"https://user:hidden@127.0.0.1:1/{tmp_path}",
    ):
        with pytest.raises(ApiUnreachableError) as caught:
            transport.post(url, JPEG)
        said += str(caught.value)
    said += caplog.text
    assert said
    assert "very-secret" not in said
    assert "hidden" not in said
