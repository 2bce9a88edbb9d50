"""Where the APIs are asked for their readiness, and what comes of the answers."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from deploy.cluster_api.state import Node
from deploy.errors import RolloutError
from deploy.rollout import readiness
from deploy.rollout.endpoints import edge_settings, endpoints
from deploy.rollout.readiness import base_urls, confirm
from deploy.settings import RayTarget
from tests.deploy.rollout.dashboard import Dashboard

HEAD, WORKER = (Node(f"n{i}", f"10.0.0.{i}", True, i == 1, 2.0, 0.0, 1) for i in (1, 2))


def target(**settings: Any) -> RayTarget:
    return RayTarget.model_validate({"kind": "ray", **settings})


@pytest.mark.parametrize(
    ("settings", "urls"),
    [
        ({}, ["http://127.0.0.1:8000"]),
        ({"http_host": "::1"}, ["http://[::1]:8000"]),
        (
            {"http_host": "0.0.0.0", "address": "http://ray.local:8265"},
            ["http://ray.local:8000", "http://10.0.0.1:8000", "http://10.0.0.2:8000"],
        ),
        # The dashboard at the end of a tunnel: what listens beside it here is something else.
        ({"http_host": "0.0.0.0"}, ["http://10.0.0.1:8000", "http://10.0.0.2:8000"]),
    ],
)
def test_where_the_apis_may_be(settings: dict[str, Any], urls: list[str]) -> None:
    assert list(base_urls(target(**settings), [WORKER, HEAD])) == urls


def test_the_first_address_that_answers_is_told(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboard.start_foreign("yolov3")
    here = f"http://127.0.0.1:{dashboard.port}"
    assert confirm(["http://127.0.0.1:1", here], ["yolov3"]).base_url == here
    monkeypatch.setattr(readiness, "_TRY_S", 0.3)
    assert confirm(["http://127.0.0.1:1"], ["yolov3"]).base_url is None
    with pytest.raises(RolloutError, match="crnn answers 404"):
        confirm([here], ["yolov3", "crnn"])


def test_an_api_that_takes_the_connection_and_is_silent_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_TRY_S", 0.0)
    monkeypatch.setattr(readiness, "_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel connects, nobody ever answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RolloutError, match="yolov3 does not answer"):
            confirm([url], ["yolov3"])


def test_an_api_that_breaks_the_connection_beside_one_that_answers_is_not_ready(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    dashboard.start_foreign("yolov3")
    answer = dashboard.answer

    def breaks(method: str, path: str, body: bytes, token: str | None) -> tuple[int, str]:
        if path.startswith("/crnn/"):
            raise ConnectionResetError
        return answer(method, path, body, token)

    monkeypatch.setattr(dashboard, "answer", breaks)
    monkeypatch.setattr(readiness, "_TRY_S", 0.0)
    with pytest.raises(RolloutError, match=r"over HTTP crnn does not answer$"):
        confirm([f"http://127.0.0.1:{dashboard.port}"], ["yolov3", "crnn"])


def test_the_lines_for_the_dashcam() -> None:
    urls = endpoints("http://a:1", ["crnn", "license-plate-reader", "yolov3"])
    lines = "apis:\n  crnn_endpoint: http://a:1/crnn\n  yolov3_endpoint: http://a:1/yolov3\n"
    assert edge_settings(urls) == f"{lines}# license-plate-reader: http://a:1/license-plate-reader\n"
    assert edge_settings({}) == ""
