"""What the client makes of a dashboard's answers, over real HTTP, and of there being none."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.cluster_api.client import ClusterApi
from deploy.errors import (
    ClusterDeniedError,
    ClusterError,
    ClusterRefusedError,
    ClusterUnreachableError,
    ClusterVersionError,
)

TOKEN = "token-of-the-cluster"


class Dashboard(ThreadingHTTPServer):
    """A dashboard whose answers the test lays down by method and path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[tuple[str, bytes]] = []
        self.silent = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Dashboard

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        self.server.asked.append((f"{self.command} {self.path}", body))
        if f"{self.command} {path}" == "GET /silent/api/version":
            self.server.silent.wait(30)
        status, content = self.server.answers.get(f"{self.command} {path}", (404, b"not found"))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, content = 401, b"Unauthorized: Missing authentication token"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = _answer  # noqa: N815 - the base class calls them so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Nothing."""


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    with Dashboard() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.silent.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def api(dashboard: Dashboard) -> ClusterApi:
    return ClusterApi(f"{dashboard.url}/", token=TOKEN, timeout_s=5)


@pytest.mark.parametrize("version", ["2.60.0", "2.61.1", "3.0.0rc1"])
def test_versions_that_will_do(dashboard: Dashboard, api: ClusterApi, version: str) -> None:
    dashboard.answers["GET /api/version"] = 200, json.dumps({"ray_version": version}).encode()
    assert api.version() == version


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (200, b'{"ray_version": "2.59.1"}', "runs Ray 2.59.1: 2.60 or later is needed"),
        (200, b'{"ray_version": "new"}', "is not the dashboard of a Ray cluster"),
        (200, b'{"app": "other"}', "is not the dashboard of a Ray cluster"),
        (200, b"<html>", "is not the dashboard of a Ray cluster"),
        (404, b"<html>", r"is not the dashboard of a Ray cluster \(404\)"),
        (302, b"", r"is not the dashboard of a Ray cluster \(302\)"),
    ],
)
def test_what_is_no_fitting_ray_is_named(
    dashboard: Dashboard, api: ClusterApi, status: int, content: bytes, words: str
) -> None:
    dashboard.answers["GET /api/version"] = status, content
    with pytest.raises((ClusterVersionError, ClusterError), match=words):
        api.version()


def test_failures_have_their_own_errors(dashboard: Dashboard, api: ClusterApi) -> None:
    with pytest.raises(ClusterDeniedError, match="wants another token"):
        ClusterApi(dashboard.url).version()
    for status, expected, words in (
        (400, ClusterRefusedError, "refuses the description: no such field"),
        (403, ClusterDeniedError, "wants another token"),
        (501, ClusterVersionError, "pip install 'ray"),
        (503, ClusterError, r"failed \(503\): no such field"),
    ):
        dashboard.answers["PUT /api/serve/applications/"] = status, b"no such\t  field"
        with pytest.raises(expected, match=words):
            api.apply({"applications": []})
    assert dashboard.asked[-1] == ("PUT /api/serve/applications/", b'{"applications": []}')


def test_nobody_there(dashboard: Dashboard) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ClusterUnreachableError, match="cannot be reached"):
            ClusterApi(f"http://127.0.0.1:{free.getsockname()[1]}").version()
    with pytest.raises(ClusterUnreachableError, match=r"does not answer within 0\.2 s"):
        ClusterApi(f"{dashboard.url}/silent", token=TOKEN, timeout_s=0.2).version()


def test_what_has_another_shape_is_another_version(dashboard: Dashboard, api: ClusterApi) -> None:
    for path, ask in (("/api/serve/applications/", api.serving), ("/api/v0/nodes", api.nodes)):
        for content in (b"[]", b"{}", b'{"data": 1, "applications": {"a": {}}}'):
            dashboard.answers[f"GET {path}"] = 200, content
            with pytest.raises(ClusterVersionError, match="in an unknown way"):
                ask()


def test_logs_are_read_line_by_line(dashboard: Dashboard, api: ClusterApi) -> None:
    dashboard.answers["GET /api/v0/logs/file"] = 200, "one\nzwölf\n".encode()
    assert list(api.log("node", "/serve/replica.log", lines=5)) == ["one", "zwölf"]
    assert "filename=serve%2Freplica.log" in dashboard.asked[-1][0] and "lines=5" in dashboard.asked[-1][0]
