"""The APIs' key goes to the APIs, and nowhere else."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_client.assembly import api_key_of
from edge_client.config import ApiSettings
from edge_client.config_file import load_settings
from edge_client.errors import ConfigError
from edge_client.run import run_drive
from edge_client.types import LiveStatus
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tests.edge_client.test_run import Memory

KEY = "a-key-that-nobody-may-see"


def test_the_key_is_in_no_log_status_or_spool(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHCAM_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    video = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (416, 234))
    for n in range(40):
        writer.write(np.full((234, 416, 3), 5 * n, np.uint8))
    writer.release()
    answers = [None, Answer(401, b"{}"), Answer(500, b"oops"), Answer(200, b"garbage"), Answer(503, b"{}")]
    behaviour = FakeApis(instead=lambda _path, number: answers[number % len(answers)])
    behaviour.drop = lambda _path, number: number % 7 == 6
    said: list[LiveStatus] = []
    with fake_apis(behaviour) as apis:
        settings = load_settings(
            None,
            {
                "source": {"rate": "full"},
                "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
                "pool": {"pause_s": 0.01, "max_pause_s": 0.05, "retry_jitter_s": 0.01, "outage_wait_s": 0.1},
                "offline": {"min_free_mb": 0, "catch_up_s": 0.0},
            },
        )
        summary = run_drive(
            settings,
            str(video),
            [],
            Memory(),
            threading.Event(),
            on_status=said.append,
            spool=tmp_path / "spool",
        )
    assert {headers["X-API-Key"] for headers in behaviour.headers} == {KEY}
    assert summary.requests["yolov3"]["failed"] > 0
    assert KEY not in caplog.text
    assert KEY not in repr(said)
    assert KEY not in repr(settings)
    assert KEY not in json.dumps(summary.to_json())
    assert not [f for f in (tmp_path / "spool").iterdir() if KEY.encode() in f.read_bytes()]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1/crnn", True),
        ("https://apis.example", True),
        ("http://apis.example", False),
        ("http://10.0.0.7:6001", False),
        ("http://127.0.0.1.example", False),
    ],
)
@pytest.mark.parametrize("place", ["yolov3_endpoint", "crnn_endpoint", "vehicle_report_endpoint"])
def test_the_key_goes_over_no_open_network_unless_asked_to(
    url: str, sent: bool, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = dict.fromkeys(("yolov3_endpoint", "crnn_endpoint", "vehicle_report_endpoint"), "https://apis.example")
    settings = ApiSettings.model_validate({**given, place: url})
    monkeypatch.delenv("DASHCAM_API_KEY", raising=False)
    assert api_key_of(settings) is None
    monkeypatch.setenv("DASHCAM_API_KEY", KEY)
    if sent:
        assert api_key_of(settings) == KEY
    else:
        with pytest.raises(ConfigError, match="unencrypted") as caught:
            api_key_of(settings)
        assert KEY not in str(caught.value)
    assert api_key_of(settings.model_copy(update={"key_unencrypted": True})) == KEY
