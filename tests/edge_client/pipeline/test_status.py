from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from edge_client.pipeline.status import StateLog
from edge_client.states import states
from edge_client.types import LiveStatus, NetworkStatus, SourceState, SourceStatus
from tests.edge_client.displays.samples import STATUS

WELL = replace(STATUS, apis={"yolov3": "ok", "crnn": "ok"})


def test_a_turn_to_the_worse_and_the_return_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    log = StateLog()

    def camera(state: SourceState, restarts: int = 0) -> LiveStatus:
        return replace(WELL, camera=SourceStatus(state, restarts))

    with caplog.at_level(logging.WARNING):
        for status in (
            WELL,
            camera(SourceState.STALLED),
            camera(SourceState.RECONNECTING, 1),
            camera(SourceState.RECONNECTING, 2),
            replace(camera(SourceState.STARTING), network=NetworkStatus(False)),
            WELL,
            WELL,
        ):
            log.note(states(status))
    assert [record.getMessage() for record in caplog.records] == [
        "camera: no picture",
        "network: gone",
        "camera: on again",
        "network: on again",
    ]
