"""A state of a drive for tests of the displays."""

from __future__ import annotations

from edge_client.types import GpsState, GpsStatus, LiveStatus, Summary

STATUS = LiveStatus(
    summary=Summary(
        10,
        {"annotated": 6, "carried": 2, "plain": 1},
        {"late": 1},
        0,
        0,
        0.1,
        0.4,
        {"yolov3": {"sent": 9, "failed": 0}},
        2,
    ),
    frame_rate_hz=24.5,
    apis={"yolov3": "ok", "crnn": "down: no answer"},
    gps=GpsStatus(GpsState.FIX),
    queue=3,
    queue_limit=8,
)
