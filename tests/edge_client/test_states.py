from __future__ import annotations

from dataclasses import replace

import pytest

from edge_client.requests.endpoints import STARTING
from edge_client.states import Grade, states, warnings
from edge_client.types import (
    Fix,
    GpsState,
    GpsStatus,
    LiveStatus,
    NetworkStatus,
    RecordingState,
    RecordingStatus,
    SourceState,
    SourceStatus,
    StoreStatus,
    UtcSource,
)
from tests.edge_client.displays.samples import STATUS

FIX = Fix(45.7, 21.2, None, 0.0, satellites=9)
WELL = replace(STATUS, apis={"yolov3": "ok", "crnn": "ok"})


@pytest.mark.parametrize(
    ("status", "part", "sentence", "grade"),
    [
        (WELL, 0, "camera: on", Grade.OK),
        (replace(WELL, camera=SourceStatus(SourceState.STARTING)), 0, "camera: starting", Grade.NOTE),
        (replace(WELL, camera=SourceStatus(SourceState.STALLED, 2)), 0, "camera: no picture (2)", Grade.BAD),
        (
            replace(WELL, camera=SourceStatus(SourceState.RECONNECTING, 3, "no such device")),
            0,
            "camera: reconnecting (3), no such device",
            Grade.BAD,
        ),
        (replace(WELL, camera=SourceStatus(SourceState.RUNNING, 2)), 0, "camera: on, restarted 2 times", Grade.OK),
        (replace(WELL, camera=SourceStatus(SourceState.ENDED)), 0, "camera: ended", Grade.OFF),
        (replace(WELL, gps=GpsStatus(GpsState.FIX, FIX, 0.1)), 1, "GPS: fix, 9 satellites", Grade.OK),
        (replace(WELL, gps=GpsStatus(GpsState.SEARCHING)), 1, "GPS: no fix", Grade.NOTE),
        (replace(WELL, gps=GpsStatus(GpsState.STALE, FIX, 42.4)), 1, "GPS: fix lost, 42 s ago", Grade.BAD),
        (
            replace(WELL, gps=GpsStatus(GpsState.REPLAY, reason="replaying route.nmea")),
            1,
            "GPS: replay, route.nmea",
            Grade.OK,
        ),
        (replace(WELL, gps=GpsStatus(GpsState.OFF)), 1, "GPS: off", Grade.OFF),
        (
            replace(WELL, gps=GpsStatus(GpsState.CONNECTING, reason="no such port")),
            1,
            "GPS: no receiver, no such port",
            Grade.BAD,
        ),
        (replace(WELL, network=NetworkStatus(True, 0.142)), 2, "network: on, 142 ms", Grade.OK),
        (replace(WELL, network=NetworkStatus(True, 1.9)), 2, "network: slow, 1900 ms", Grade.NOTE),
        (replace(WELL, apis={"yolov3": "slow", "crnn": "ok"}), 2, "network: slow", Grade.NOTE),
        (replace(WELL, network=NetworkStatus(False, spooled=14)), 2, "network: gone, 14 to read later", Grade.BAD),
        (replace(WELL, network=NetworkStatus(True, spooled=3)), 2, "network: catching up, 3 to read later", Grade.NOTE),
        (STATUS, 2, "network: crnn down", Grade.BAD),
        (replace(WELL, recording=RecordingStatus(RecordingState.LOCKED)), 3, "recording: locked", Grade.OK),
        (
            replace(WELL, recording=RecordingStatus(RecordingState.FAILED, reason="the disk is full")),
            3,
            "recording: failed, the disk is full",
            Grade.BAD,
        ),
        (
            replace(WELL, recording=RecordingStatus(RecordingState.RECORDING, lost_frames=7)),
            3,
            "recording: on, 7 frames lost",
            Grade.OK,
        ),
        (WELL, 4, "reads: written", Grade.OK),
        (
            replace(WELL, store=StoreStatus(3, "the disk is full")),
            4,
            "reads: not written, 3 wait: the disk is full",
            Grade.BAD,
        ),
        (replace(WELL, utc_source=UtcSource.SYSTEM), 5, "clock: by the system", Grade.OK),
        (replace(WELL, utc_source=UtcSource.GPS, clock_set=False), 5, "clock: by GPS", Grade.OK),
        (
            replace(WELL, utc_source=UtcSource.SYSTEM, clock_set=False),
            5,
            "clock: not set, times are corrected once GPS or a network tells them",
            Grade.BAD,
        ),
        (replace(WELL, network=NetworkStatus(False, reason=STARTING)), 2, f"network: starting, {STARTING}", Grade.NOTE),
        (replace(WELL, store=StoreStatus(lost=2)), 4, "reads: written, 2 reads are lost", Grade.BAD),
        (replace(WELL, store=StoreStatus(events_dropped=2)), 4, "reads: written, 2 events given up", Grade.NOTE),
    ],
)
def test_each_state_has_a_word_and_a_grade(status: LiveStatus, part: int, sentence: str, grade: Grade) -> None:
    found = states(status)
    assert [p.part for p in found] == ["camera", "GPS", "network", "recording", "reads", "clock"]
    assert (found[part].sentence, found[part].grade) == (sentence, grade)


def test_every_state_that_there_is_can_be_said() -> None:
    for camera in SourceState:
        for gps in GpsState:
            for recording in RecordingState:
                status = replace(
                    WELL, camera=SourceStatus(camera), gps=GpsStatus(gps), recording=RecordingStatus(recording)
                )
                assert all(part.word and part.sentence for part in states(status))


def test_what_is_bad_is_a_warning() -> None:
    status = replace(WELL, camera=SourceStatus(SourceState.STALLED), store=StoreStatus(1, "the disk is full"))
    assert warnings(states(status)) == ("camera: no picture", "reads: not written, 1 wait: the disk is full")
    assert warnings(states(WELL)) == ()
