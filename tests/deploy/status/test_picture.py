"""Samples put together, for people and for programs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from cloud_apis.names import Api
from deploy.cluster_api.state import Application, Node, Replica, Serving
from deploy.revisions.revision import Content, Revision
from deploy.status.picture import picture, plain
from deploy.status.sampling import Gpu, Sample, Usage
from deploy.status.tables import tables
from deploy.status.traffic import Totals

NODES = (Node("w", "10.0.0.2", True, False, 4, 1, 1), Node("h", "10.0.0.1", True, True, 2, 0, 1))
GONE = Node("g", "10.0.0.3", False, False, 4, 0, 1)
REVISION = Revision(7, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "ada@laptop", "deploy", Content({}, {}, None, None))


def app(name: str, status: str, message: str, *nodes: str) -> Application:
    replicas = tuple(Replica(f"{name}{n}", "RUNNING", n, f"10.0.0.{2 if n == 'w' else 1}", None, 1, None, 0.0)
                     for n in nodes)  # fmt: skip
    return Application(name, status, message, f"/{name}", 1.0, 2, replicas, {})


def sample(at_s: float, counted: dict[str, Totals] | None) -> Sample:
    apps = [
        app("yolov3", "RUNNING", "", "w", "h"),
        app("crnn", "UNHEALTHY", "Traceback\nOSError: disk full", "w"),
        app("shop", "RUNNING", ""),
    ]
    serving = Serving({each.name: each for each in apps}, (), "0.0.0.0", 8000)
    usage = {"w": Usage(50.0, 25.0, (Gpu("A100", 80.0, 10, 40),))}
    return Sample(serving, (*NODES, GONE), usage, counted, at_s)


BEFORE = sample(0.0, {"yolov3": Totals({"200": 10}, {10.0: 10, float("inf"): 10})})
AFTER = sample(10.0, {"yolov3": Totals({"200": 110, "500": 10}, {10.0: 120, float("inf"): 130}, 3)})


def shown(before: Sample, after: Sample, *, exact: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, width=140, highlight=False)
    console.print(tables(picture("plates", REVISION, exact, before, after), "apis:\n  yolov3_endpoint: http://a\n"))
    return out.getvalue()


def test_for_programs() -> None:
    found = json.loads(json.dumps(plain(picture("plates", REVISION, True, BEFORE, AFTER), {"yolov3": "http://a"})))
    assert found["revision"] == {"number": 7, "applied": "2026-01-02T03:04:05+00:00", "by": "ada@laptop",
                                 "reason": "deploy", "is_what_runs": True}  # fmt: skip
    crnn, yolov3 = found["apis"]
    assert {api["name"] for api in found["apis"]} <= set(Api)
    assert yolov3["traffic"]["requests_hz"] == pytest.approx(11.0) and yolov3["traffic"]["errors_hz"] == 1.0
    assert yolov3["traffic"]["in_hand"] == 3 and yolov3["endpoint"] == "http://a"
    assert yolov3["replicas"] == {"running": 2, "wanted": 2, "on": {"10.0.0.1": 1, "10.0.0.2": 1}}
    assert crnn["state"] == "UNHEALTHY" and crnn["note"] == "OSError: disk full"
    assert [(node["ip"], node["head"], node["replicas"]) for node in found["nodes"]] == [
        ("10.0.0.1", True, 1),
        ("10.0.0.2", False, 2),
    ]
    assert found["nodes"][1]["gpu"] == [{"name": "A100", "busy_percent": 80.0, "used_mb": 10, "total_mb": 40}]
    assert found["nodes"][0]["cpu_percent"] is None


def test_for_people() -> None:
    told = shown(BEFORE, AFTER)
    for words in ("plates: revision 7 (deploy) of 2026-01-02 03:04:05 UTC by ada@laptop", "2 of 2", "11.0", "UNHEALTHY",
                  "crnn: OSError: disk full", "A100 80 % 10/40 MB", "yolov3_endpoint: http://a"):  # fmt: skip
        assert words in told
    assert "differs from it" not in told and "10.0.0.3" not in told
    assert "differs from it" in shown(BEFORE, AFTER, exact=False)


def test_figures_that_cannot_be_reached() -> None:
    told = shown(replace(BEFORE, counted=None), replace(AFTER, counted=None))
    assert "cannot be reached from this machine" in told
    found = plain(picture("plates", None, False, replace(BEFORE, counted=None), AFTER), {})
    assert found["revision"] is None and found["apis"][0]["traffic"] is None
