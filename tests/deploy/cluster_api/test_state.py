"""Serve's words, read."""

from __future__ import annotations

import pytest

from deploy.cluster_api.state import parse_serving, reason

REPLICA = {"replica_id": "a1", "state": "RUNNING", "node_id": "n", "node_ip": "10.0.0.2", "start_time_s": 1.5, "pid": 7}
TOLD = {
    "applications": {
        "yolov3": {
            "status": "DEPLOYING",
            "message": "",
            "route_prefix": "/yolov3",
            "last_deployed_time_s": 12.0,
            "deployed_app_config": {"name": "yolov3"},
            "deployments": {
                "yolov3": {
                    "message": "too slow",
                    "target_num_replicas": 2,
                    "replicas": [REPLICA, {**REPLICA, "replica_id": "b2", "state": "STARTING", "node_ip": None}],
                }
            },
        }
    },
    "proxies": {"n": {"status": "HEALTHY", "node_ip": "10.0.0.2"}},
    "http_options": {"host": "0.0.0.0", "port": 8000},
}


def test_applications_with_their_replicas() -> None:
    serving = parse_serving(TOLD)
    app = serving.applications["yolov3"]
    assert (app.status, app.message, app.wanted_replicas, app.deployed_s) == ("DEPLOYING", "too slow", 2, 12.0)
    assert [replica.replica_id for replica in app.replicas] == ["a1", "b2"]
    assert [replica.replica_id for replica in app.running] == ["a1"]
    assert (serving.http_host, serving.http_port) == ("0.0.0.0", 8000)
    assert [proxy.status for proxy in serving.proxies] == ["HEALTHY"]


def test_a_cluster_on_which_serve_never_ran() -> None:
    serving = parse_serving({"applications": {}, "proxies": {}, "http_options": None})
    assert not serving.applications and serving.http_port is None


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "A replica failed to start. Error:\n\x1b[36mray::x()\x1b[39m\n  File a\n"
            "deploy.errors.CorruptError: m.onnx is bad: push it\nRuntimeError: Traceback (most recent call last):\n",
            "m.onnx is bad: push it",
        ),
        (
            "Deploying failed:\nTraceback\nModuleNotFoundError: No module named 'x'\n",
            "ModuleNotFoundError: No module named 'x'",
        ),
        ("Waiting for resources: none", "Waiting for resources: none"),
        ("\n\n  two lines\nof text", "two lines"),
        ("", ""),
    ],
)
def test_the_line_that_says_what_is_wrong(message: str, line: str) -> None:
    assert reason(message) == line
