"""A camera is shown and recorded at once, whatever the plate APIs of the device itself are at."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from edge_client.config import ApiSettings, EdgeSettings
from edge_client.config_file import load_settings
from edge_client.recording.library import recordings_in
from edge_client.requests import embedded
from edge_client.requests.endpoints import STARTING
from edge_client.run import run_drive
from edge_client.states import Grade, network_state
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from edge_client.types import Image, LiveStatus, Outcome, RecordingState, ShownFrame, Summary
from tests.edge_client.sources.mjpeg_server import Connection, mjpeg_server

ROOT = Path(__file__).resolve().parents[2]
CHILD = f"""
import os, sys, threading
sys.path.insert(0, {str(ROOT)!r})
while not os.path.exists(sys.argv[2]):
    threading.Event().wait(0.02)
from tests.edge_client.fake_apis import fake_apis
with fake_apis() as apis:
    with open(sys.argv[1] + ".new", "w") as f: f.write(apis.url.rpartition(":")[2])
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    threading.Event().wait()
"""
PATIENCE_S = 240.0
BROKEN = "raise SystemExit('no model files')"


class Seen:
    """Keeps what became of each frame."""

    name = "seen"
    every_frame = True

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        self.outcomes.append(shown.outcome)

    def closed_by_user(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Drive:
    """A camera's drive, with APIs of its own that begin when they are let go."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, child: str) -> None:
        self.folder, self.go = folder, folder / "go"
        self.seen, self.stop = Seen(), threading.Event()
        self.statuses: list[LiveStatus] = []
        self._end_s = time.monotonic() + PATIENCE_S

        def command(settings: ApiSettings, port_file: Path, *, vehicles: bool = False) -> list[str]:
            return [sys.executable, "-c", child, str(port_file), str(self.go)]

        monkeypatch.setattr(embedded, "api_command", command)

    def run(self) -> Summary:
        """Until nothing more is to be seen."""
        with mjpeg_server(Connection(frames=100_000, size=(416, 234), rate_hz=25.0)) as server:
            return run_drive(
                self._settings(),
                server.url,
                [self.seen],
                SqliteReads(self.folder / "reads.db"),
                self.stop,
                on_status=self._look,
                spool=self.folder / "reads.spool",
            )

    def _look(self, status: LiveStatus) -> None:
        self.statuses.append(status)
        if len(self.seen.outcomes) > 30 and status.recording.segment:
            self.go.touch()
        if (Outcome.ANNOTATED in self.seen.outcomes and status.summary.reads) or self.late:
            self.stop.set()

    @property
    def late(self) -> bool:
        """Whether what is waited for does not come."""
        return time.monotonic() > self._end_s

    def _settings(self) -> EdgeSettings:
        return load_settings(
            None,
            {
                "apis": {"embedded_log": str(self.folder / "apis.log")},
                "recording": {"folder": str(self.folder / "segments"), "reserve_gb": 0.0},
                "offline": {"min_free_mb": 0},
            },
        )


def test_a_camera_does_not_wait_for_the_apis_of_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drive = Drive(tmp_path, monkeypatch, CHILD)
    summary = drive.run()
    first = drive.seen.outcomes.index(Outcome.ANNOTATED)
    assert set(drive.seen.outcomes[:30]) == {Outcome.PLAIN}
    assert first > 30
    early = [s for s in drive.statuses if s.network.reason == STARTING]
    assert {network_state(s.network, s.apis).grade for s in early} == {Grade.NOTE}
    assert early[-1].recording.state is RecordingState.RECORDING
    assert "is down" not in caplog.text
    (segment,) = recordings_in(tmp_path / "segments")
    assert segment.track.end is not None
    assert segment.track.end.frames > 30
    assert summary.reads == 1
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert {read.text for read in library.find(ReadFilter())} == {"AB12CDE"}


def test_a_camera_goes_on_when_the_apis_of_the_device_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drive = Drive(tmp_path, monkeypatch, BROKEN)

    def look(status: LiveStatus) -> None:
        drive.statuses.append(status)
        if drive.late or ("could not be started" in status.network.reason and len(drive.seen.outcomes) > 30):
            drive.stop.set()

    monkeypatch.setattr(drive, "_look", look)
    summary = drive.run()
    assert summary.shown["plain"] == summary.captured > 30
    assert "no model files" in drive.statuses[-1].network.reason
    assert network_state(drive.statuses[-1].network, {}).grade is Grade.BAD
    assert "the embedded APIs could not be started (exit status 1)" in caplog.text
    assert recordings_in(tmp_path / "segments")
