"""A server on loopback that answers as a cluster's dashboard and as the APIs on it, for what needs no Ray."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Judge = Callable[[dict[str, Any]], str | None]
"""Why an application with this description does not start; "" that it never gets ready; None that it runs."""


class Dashboard:
    """What the cluster is told and what it says of it. ``host`` and ``port`` serve both dashboard and APIs."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []
        self.shut_down = 0
        self.judge: Judge = lambda _: None
        self.refuse: Callable[[int], tuple[int, str] | None] = lambda _: None
        self.token: str | None = None
        self.version = "2.60.0"
        self.applied = threading.Event()
        self._running: dict[str, dict[str, Any]] = {}
        self._http: dict[str, Any] = {}
        self._time_s = 0.0
        self._guard = threading.Lock()
        self.port = 0

    def names(self) -> list[str]:
        """The applications that are described."""
        return sorted(self._running)

    def described(self, name: str) -> dict[str, Any]:
        """The description of an application."""
        return self._running[name]

    def start_foreign(self, name: str) -> None:
        """Let an application run that is not ours."""
        self._running[name] = {"name": name, "route_prefix": f"/{name}", "import_path": "other:app", "args": {}}
        self._http = {"host": "127.0.0.1", "port": self.port}

    def apply(self, description: dict[str, Any]) -> tuple[int, str]:
        with self._guard:
            self.put.append(description)
            refusal = self.refuse(len(self.put))
            if refusal is not None:
                return refusal
            self._time_s += 1.0
            self._http = self._http or description["http_options"]
            self._running = {each["name"]: each for each in description["applications"]}
            self.applied.set()
            return 200, ""

    def end(self) -> tuple[int, str]:
        with self._guard:
            self.shut_down += 1
            self._running, self._http = {}, {}
            return 200, ""

    def serving(self) -> dict[str, Any]:
        with self._guard:
            applications = {name: self._application(name, each) for name, each in list(self._running.items())}
            proxies = {"n1": {"node_ip": "127.0.0.1", "status": "HEALTHY"}} if applications else {}
            return {"applications": applications, "proxies": proxies, "http_options": self._http}

    def _application(self, name: str, described: dict[str, Any]) -> dict[str, Any]:
        why = self.judge(described)
        status = "RUNNING" if why is None else "DEPLOY_FAILED" if why else "DEPLOYING"
        state = "RUNNING" if why is None else "STARTING"
        replica = {"replica_id": f"{name}1", "state": state, "node_id": "n1" if why is None else None,
                   "node_ip": "127.0.0.1", "start_time_s": 1.0}  # fmt: skip
        return {
            "status": status,
            "message": why or "",
            "last_deployed_time_s": self._time_s,
            "deployed_app_config": described,
            "deployments": {name: {"target_num_replicas": 1, "replicas": [replica]}},
        }

    def answer(self, method: str, path: str, body: bytes, token: str | None) -> tuple[int, str]:
        """Status and body of one request."""
        if path.startswith("/api/") and self.token is not None and token != f"Bearer {self.token}":
            return 401, "no"
        if path.startswith("/api/version"):
            return 200, json.dumps({"ray_version": self.version})
        if path.startswith("/api/serve/applications/"):
            if method == "PUT":
                return self.apply(json.loads(body))
            return self.end() if method == "DELETE" else (200, json.dumps(self.serving()))
        if path.startswith("/api/v0/nodes"):
            node = {"node_id": "n1", "node_ip": "127.0.0.1", "state": "ALIVE", "is_head_node": True,
                    "resources_total": {"CPU": 2.0}}  # fmt: skip
            return 200, json.dumps({"data": {"result": {"result": [node]}}})
        name = path.split("/")[1]
        if name in self._running and path.endswith("/v2/health/ready"):
            return 200, "{}"
        return 404, "not found"


class QuietServer(ThreadingHTTPServer):
    """Says nothing of connections that break."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of a server whose requests go to this handler."""
    with QuietServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def running_dashboard() -> Iterator[Dashboard]:
    """A dashboard on a free port."""
    dashboard = Dashboard()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, text = dashboard.answer(self.command, self.path, body, self.headers.get("Authorization"))
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        dashboard.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield dashboard
        server.shutdown()
