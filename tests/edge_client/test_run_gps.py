"""A whole drive with a receiver on a pseudo-terminal, and a system clock that is wrong when the drive begins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cloud_apis.contract import yolov3_answer
from edge_client.config_file import load_settings
from edge_client.run import run_drive
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from edge_client.types import (
    GpsState,
    Image,
    LiveStatus,
    ReadStore,
    SourceState,
    SourceStatus,
    TrackRead,
    UtcSource,
)
from tests.edge_client.fake_apis import FakeApis, fake_apis, one_box, one_word
from tests.edge_client.positions.pty_port import PtyPort, Speaker, pty_port
from tests.edge_client.positions.sentences import rmc, sentence

AHEAD = timedelta(days=100)
"""How far the true time lies ahead of the system's clock."""
NORTHWARDS_MIN_PER_S = 0.01
"""Minutes of latitude per second: 18.5 m/s."""
FIRST, SECOND = np.random.default_rng(1).integers(0, 255, (2, 234, 416, 3), np.uint8)
PATIENCE_S = 60.0


class Watched:
    """A store on disk that tells when something was written."""

    def __init__(self, store: ReadStore) -> None:
        self._store = store
        self.texts: list[str] = []
        self.corrected = threading.Event()

    def save(self, read: TrackRead) -> None:
        self._store.save(read)
        self.texts.append(read.text)

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        self._store.correct_times(drive, shift, source)
        self.corrected.set()

    def close(self) -> None:
        self._store.close()


class Road:
    """A camera before which one plate passes, then, once the receiver has been believed, another."""

    frame_rate_hz = 20.0
    frame_count = None
    live = True

    def __init__(self, apis: FakeApis, store: Watched, sky: threading.Event) -> None:
        self._apis, self._store, self._sky = apis, store, sky

    def __iter__(self) -> Iterator[Image]:
        yield from self._until(lambda: "AB12CDE" in self._store.texts)
        self._apis.boxes, self._apis.words = (lambda _body: yolov3_answer([])), one_word("XY98ZTU")
        self._sky.set()
        away_until_s = time.monotonic() + 0.6
        yield from self._until(lambda: self._store.corrected.is_set() and time.monotonic() > away_until_s)
        self._apis.boxes = one_box
        yield from self._until(lambda: "XY98ZTU" in self._store.texts, SECOND)

    def _until(self, seen: Callable[[], bool], picture: Image = FIRST) -> Iterator[Image]:
        end_s = time.monotonic() + PATIENCE_S
        while not seen():
            assert time.monotonic() < end_s, "what was waited for did not come"
            yield picture
            time.sleep(0.05)

    def status(self) -> SourceStatus:
        return SourceStatus(SourceState.RUNNING)

    def close(self) -> None:
        pass


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    with pty_port(tmp_path / "gps") as made:
        yield made


def latitude_min(utc: datetime, start: datetime) -> float:
    return 30 + (utc - start).total_seconds() * NORTHWARDS_MIN_PER_S


def tell(port: PtyPort, sky: threading.Event, start: datetime) -> None:
    """What the receiver says now: nothing valid before it sees the sky."""
    utc = datetime.now(UTC) + AHEAD
    clock, latitude = utc.strftime("%H%M%S.%f")[:-3], f"45{latitude_min(utc, start):08.5f}"
    port.say(rmc(clock, "A" if sky.is_set() else "V", utc.strftime("%d%m%y"), "36.0", lat=latitude, course="0.0"))
    if sky.is_set():
        port.say(sentence(f"GPGGA,{clock},{latitude},N,02330.0000,E,1,09,0.8,100,M,,M,,"))


def test_reads_have_the_time_and_the_place_that_the_receiver_tells(
    apis: FakeApis, port: PtyPort, tmp_path: Path
) -> None:
    settings = load_settings(
        None,
        {
            "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
            "positions": {"source": "serial", "device": str(port.path)},
            "tracking": {"keep_s": 0.2},
        },
    )
    start, sky = datetime.now(UTC) + AHEAD, threading.Event()
    store = Watched(SqliteReads(tmp_path / "reads.sqlite"))
    statuses: list[LiveStatus] = []
    with Speaker(lambda _count: tell(port, sky, start), pause_s=0.1):
        run_drive(settings, Road(apis, store, sky), [], store, threading.Event(), on_status=statuses.append)
    end = datetime.now(UTC) + AHEAD
    assert statuses[-1].utc_source is UtcSource.GPS
    assert statuses[-1].gps.state is GpsState.FIX
    assert GpsState.SEARCHING in {status.gps.state for status in statuses}
    with ReadLibrary(tmp_path / "reads.sqlite") as library:
        found = {read.text: read for read in library.find(ReadFilter())}
    assert found.keys() == {"AB12CDE", "XY98ZTU"}
    slack = timedelta(seconds=0.6)
    for read in found.values():
        assert start - slack <= read.first_seen <= read.last_seen <= end + slack
        assert read.utc_source == "gps"
    before, after = found["AB12CDE"], found["XY98ZTU"]
    assert before.latitude_deg is None
    assert after.latitude_deg is not None
    assert after.longitude_deg == pytest.approx(23.5, abs=1e-6)
    along = [latitude_min(utc, start) for utc in (after.first_seen - slack, after.last_seen + slack)]
    assert along[0] <= (after.latitude_deg - 45) * 60 <= along[1]
    assert (after.satellites, after.hdop) == (9, 0.8)
    assert after.speed_mps == pytest.approx(36 * 1852 / 3600, abs=1e-3)
