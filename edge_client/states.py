"""What each part of the dashcam is doing, as a word and a grade, for the screen, the page and the log alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge_client.requests.endpoints import STARTING
from edge_client.types import (
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

_SLOW_ROUND_TRIP_S = 0.8


class Grade(StrEnum):
    """How good a state is; each grade has its colour on the screen and on the page."""

    OK = "ok"
    NOTE = "note"  # not all is well, and nothing has to be done about it
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PartState:
    """One part: its name, a word or two, and a few more words where they help."""

    part: str
    word: str
    grade: Grade
    detail: str = ""

    @property
    def sentence(self) -> str:
        """All of it in one line: `camera: reconnecting (3), the device is gone`."""
        return f"{self.part}: {self.word}" + (f", {self.detail}" if self.detail else "")


def states(status: LiveStatus) -> tuple[PartState, ...]:
    """The states of camera, GPS, network, recording, reads and clock, always in this order."""
    return (
        camera_state(status.camera),
        gps_state(status.gps),
        network_state(status.network, status.apis),
        recording_state(status.recording),
        store_state(status.store),
        clock_state(status.utc_source, is_set=status.clock_set),
    )


def camera_state(camera: SourceStatus) -> PartState:
    """The camera's."""
    times = f" ({camera.restarts})" if camera.restarts else ""
    word, grade = {
        SourceState.STARTING: ("starting", Grade.NOTE),
        SourceState.RUNNING: ("on", Grade.OK),
        SourceState.STALLED: (f"no picture{times}", Grade.BAD),
        SourceState.RECONNECTING: (f"reconnecting{times}", Grade.BAD),
        SourceState.ENDED: ("ended", Grade.OFF),
    }[camera.state]
    detail = camera.reason
    if camera.state is SourceState.RUNNING and camera.restarts:
        detail = f"restarted {camera.restarts} times" if camera.restarts > 1 else "restarted once"
    return PartState("camera", word, grade, detail)


def gps_state(gps: GpsStatus) -> PartState:
    """The receiver's; with a fix the satellites and the age of a fix that is not fresh."""
    word, grade = {
        GpsState.OFF: ("off", Grade.OFF),
        GpsState.CONNECTING: ("no receiver", Grade.BAD),
        GpsState.SEARCHING: ("no fix", Grade.NOTE),
        GpsState.FIX: ("fix", Grade.OK),
        GpsState.STALE: ("fix lost", Grade.BAD),
        GpsState.REPLAY: ("replay", Grade.OK),
    }[gps.state]
    detail = gps.reason.removeprefix("replaying ") if gps.state is GpsState.REPLAY else gps.reason
    if gps.state is GpsState.STALE and gps.fix_age_s is not None:
        detail = f"{gps.fix_age_s:.0f} s ago"
    elif gps.state in (GpsState.FIX, GpsState.REPLAY) and gps.fix is not None and gps.fix.satellites:
        detail = f"{gps.fix.satellites} satellites"
    return PartState("GPS", word, grade, detail)


def network_state(network: NetworkStatus, apis: Mapping[str, str]) -> PartState:
    """The uplink's and the APIs' behind it; pictures that wait to be read later are counted."""
    waiting = f"{network.spooled} to read later" if network.spooled else ""
    if network.reason == STARTING:
        return PartState("network", "starting", Grade.NOTE, waiting or network.reason)
    if not network.reachable:
        return PartState("network", "gone", Grade.BAD, waiting or network.reason)
    down = [api for api, state in apis.items() if state.startswith("down")]
    if down:
        return PartState("network", f"{' and '.join(down)} down", Grade.BAD, waiting)
    trip = "" if network.round_trip_s is None else f"{network.round_trip_s * 1000:.0f} ms"
    if network.spooled:
        return PartState("network", "catching up", Grade.NOTE, waiting)
    slow = (network.round_trip_s or 0.0) > _SLOW_ROUND_TRIP_S or any(state == "slow" for state in apis.values())
    return PartState("network", "slow" if slow else "on", Grade.NOTE if slow else Grade.OK, trip)


def recording_state(recording: RecordingStatus) -> PartState:
    """The original recording's."""
    lost = f"{recording.lost_frames} frames lost" if recording.lost_frames else ""
    word, grade = {
        RecordingState.OFF: ("off", Grade.OFF),
        RecordingState.RECORDING: ("on", Grade.OK),
        RecordingState.LOCKED: ("locked", Grade.OK),
        RecordingState.FAILED: ("failed", Grade.BAD),
    }[recording.state]
    return PartState("recording", word, grade, recording.reason or lost)


def store_state(store: StoreStatus) -> PartState:
    """Whether reads reach the disk."""
    if store.reason:
        return PartState("reads", "not written", Grade.BAD, f"{store.waiting} wait: {store.reason}")
    if store.notice or store.lost:
        return PartState("reads", "written", Grade.BAD, store.notice or f"{store.lost} reads are lost")
    if store.events_dropped:
        return PartState("reads", "written", Grade.NOTE, f"{store.events_dropped} events given up")
    return PartState(
        "reads", "written", Grade.OK, f"{store.events_waiting} events wait" if store.events_waiting else ""
    )


def clock_state(source: UtcSource, *, is_set: bool) -> PartState:
    """What tells the time of reads; a clock that was never set is corrected later, with all that it stamped."""
    if source is UtcSource.SYSTEM and not is_set:
        return PartState("clock", "not set", Grade.BAD, "times are corrected once GPS or a network tells them")
    word = {UtcSource.GPS: "by GPS", UtcSource.SYSTEM: "by the system", UtcSource.RECORDING: "the recording's"}[source]
    return PartState("clock", word, Grade.OK)


def warnings(parts: tuple[PartState, ...]) -> tuple[str, ...]:
    """What is bad, each in one line, in the order of the parts."""
    return tuple(part.sentence for part in parts if part.grade is Grade.BAD)
