"""The near APIs are a real process: the tests' APIs behind the promises of `cloud-apis serve`."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_client.assembly import apis_of
from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.counters import Counters
from edge_client.errors import ApiError
from edge_client.requests import fallback as fallback_module
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import APIS, CRNN, YOLOV3, PlateApis
from edge_client.requests.embedded import EmbeddedApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.fallback import FallbackApis, can_embed
from edge_client.requests.transport import Transport
from tests.edge_client.fake_apis import FakeApis, fake_apis

ROOT = Path(__file__).resolve().parents[3]
CHILD = f"""
import os, sys, threading
sys.path.insert(0, {str(ROOT)!r})
from tests.edge_client.fake_apis import FakeApis, fake_apis, one_word
with fake_apis(FakeApis(words=one_word("NEAR123"))) as apis:
    with open(sys.argv[1] + ".new", "w") as f: f.write(apis.url.rpartition(":")[2])
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    threading.Event().wait()
"""


@pytest.fixture
def far() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


def settings_of(far: FakeApis) -> EdgeSettings:
    return load_settings(
        None,
        {
            "apis": {"yolov3_endpoint": far.yolov3, "crnn_endpoint": far.crnn},
            "pool": {"failures_to_pause": 1, "pause_s": 0.01, "retry_jitter_s": 0.01},
            "offline": {"mode": "embedded"},
        },
    )


@pytest.fixture
def fallback(far: FakeApis) -> Iterator[FallbackApis]:
    settings = settings_of(far)
    embedded = EmbeddedApis(settings.apis)
    embedded._command = [sys.executable, "-c", CHILD, str(embedded._port_file)]
    counters, adaptation = Counters(APIS), Adaptation(settings, active=True)
    transport = Transport(settings.pool)
    endpoints = FixedEndpoints(far.yolov3, far.crnn)
    apis = PlateApis(endpoints, transport, settings.pool, counters, patient=False, adaptation=adaptation)
    running = FallbackApis(apis, settings, counters, adaptation, embedded)
    yield running
    running.close()
    running.release()
    running.end()


def text(apis: FallbackApis) -> str:
    (words,) = apis.read([b"crop"])
    return words[0].text


def test_the_near_apis_answer_while_the_far_ones_are_gone(
    far: FakeApis, fallback: FallbackApis, caplog: pytest.LogCaptureFixture
) -> None:
    assert text(fallback) == "AB12CDE"
    far.drop = lambda _path, _number: True
    with pytest.raises(ApiError):
        text(fallback)  # the near ones are only being started
    assert fallback._starter is not None
    fallback._starter.join(60)
    assert text(fallback) == "NEAR123"
    assert len(fallback.detect(b"frame")) == 1
    assert fallback.states()[CRNN].startswith("down")  # what the screen says of the far ones
    assert (fallback.lost(CRNN), fallback.lost(YOLOV3)) == (False, False)
    assert fallback.reasons()
    far.drop = lambda _path, _number: False
    fallback.network_changed()
    assert text(fallback) == "AB12CDE"
    assert "on this device" in caplog.text


def test_without_the_extra_evidence_is_kept_instead(
    far: FakeApis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fallback_module, "_NEEDED", ("no_such_module",))
    assert not can_embed()
    caplog.set_level(logging.WARNING)
    settings = settings_of(far)
    with ExitStack() as stack:
        apis = apis_of(
            settings,
            FixedEndpoints(far.yolov3, far.crnn),
            Transport(settings.pool),
            Counters(APIS),
            Adaptation(settings, active=True),
            stack,
            patient=False,
        )
        assert isinstance(apis, PlateApis)
    assert "needs the extra `cloud`" in caplog.text


def test_near_apis_that_do_not_start_harm_nothing(far: FakeApis, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_of(far)
    embedded = EmbeddedApis(settings.apis)
    embedded._command = [sys.executable, "-c", "raise SystemExit(3)"]
    counters, adaptation = Counters(APIS), Adaptation(settings, active=True)
    apis = PlateApis(
        FixedEndpoints(far.yolov3, far.crnn), Transport(settings.pool), settings.pool, counters, patient=False
    )
    running = FallbackApis(apis, settings, counters, adaptation, embedded)
    far.drop = lambda _path, _number: True
    with pytest.raises(ApiError):
        running.detect(b"frame")
    assert running._starter is not None
    running._starter.join(60)
    assert "evidence is kept for later instead" in caplog.text
    assert running.lost(YOLOV3)
    running.end()
    assert not any(t.name == "embedded-apis" for t in threading.enumerate())
