"""A drive through a gap in the network: real sockets, a real spool on disk, real SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract import PlateBox, yolov3_answer
from edge_client.commands.summary import print_summary, summary_line
from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.run import run_drive
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from edge_client.types import Image, LiveStatus, ShownFrame, Summary
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tools.bench.delay_proxy import Gate, delayed

RATE_HZ = 10
PLATE_FRAMES = 15
SEEN_FRAMES = 11
PLATES = 6
FRAMES = PLATES * PLATE_FRAMES
GAP = range(2 * PLATE_FRAMES, 4 * PLATE_FRAMES)
"""The frames, and so the third and fourth plate, that are captured without a network."""


def text_of(plate: int) -> str:
    return f"{'KLMNPR'[plate]}{plate}7{'XYZWVT'[plate]}{'ABCDEF'[plate]}"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each plate is a grey of its own, on a road that moves."""
    path = tmp_path_factory.mktemp("drive") / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), float(RATE_HZ), (416, 234))
    rng = np.random.default_rng(7)
    road = rng.integers(0, 40, (234, 416, 3), dtype=np.uint8)
    for n in range(FRAMES):
        picture = np.roll(road, 7 * n, axis=1)
        plate, seen = divmod(n, PLATE_FRAMES)
        if seen < SEEN_FRAMES:
            left, top = 20 + 50 * (plate % 3) + 8 * seen, 30 + 20 * (plate % 4) + 4 * seen
            picture[top : top + 50, left : left + 140] = 70 + 30 * plate
            marks = np.random.default_rng(plate).random((4, 12)) < 0.3  # each looks different
            for row, column in zip(*np.nonzero(marks), strict=True):
                y, x = top + 5 + 10 * int(row), left + 10 + 10 * int(column)
                picture[y : y + 9, x : x + 8] = 10
        writer.write(picture)
    writer.release()
    return path


def grey(jpeg: bytes) -> Image:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def boxes_on(jpeg: bytes) -> dict[str, object]:
    rows, columns = np.nonzero(cv2.medianBlur(grey(jpeg), 9) > 55)
    if not len(rows):
        return yolov3_answer([])
    left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    return yolov3_answer([PlateBox(float(left), float(top), float(right), float(bottom), 0.95, (0.98,))])


def text_on(jpeg: bytes) -> str:
    picture = grey(jpeg)
    return text_of(min(max(round((float(np.median(picture)) - 70) / 30), 0), PLATES - 1))


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis(FakeApis(boxes=boxes_on, text_of=text_on)) as running:
        yield running


def configured(url: str, folder: Path, **offline: object) -> EdgeSettings:
    log = folder / "drive.nmea"
    log.write_text("".join(sentence(second) for second in range(PLATES * 2)))
    return load_settings(
        None,
        {
            "source": {"rate": "realtime"},
            "apis": {"yolov3_endpoint": f"{url}/yolov3", "crnn_endpoint": f"{url}/crnn"},
            "pool": {"pause_s": 0.1, "max_pause_s": 0.3, "read_timeout_s": 1.0, "retry_jitter_s": 0.01},
            "positions": {"nmea_log": log},
            "reads": {"same_plate_s": 1.0},
            "offline": {"min_free_mb": 0, "catch_up_s": 300.0, **offline},
        },
    )


def sentence(second: int) -> str:
    """A fix a second, each a hundredth of a minute farther north."""
    body = f"GPRMC,1200{second:02d}.00,A,4500.{100 * second:04d},N,02330.0000,E,36.0,0.0,020126,,,A"
    checksum = 0
    for character in body:
        checksum ^= ord(character)
    return f"${body}*{checksum:02X}\r\n"


class Tunnel:
    """Shuts and opens a gate by the frames that are captured, as a display sees them."""

    name = "tunnel"
    every_frame = True

    def __init__(self, change: Callable[[int], None]) -> None:
        self._change = change
        self.shown: list[int] = []

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        self.shown.append(shown.frame.number)
        self._change(shown.frame.number)

    def closed_by_user(self) -> bool:
        return False

    def close(self) -> None:
        pass


def stored(file: Path) -> dict[str, tuple[datetime, datetime, float | None]]:
    with ReadLibrary(file) as library:
        reads = list(library.find(ReadFilter()))
    texts = [read.text for read in reads]
    assert len(texts) == len(set(texts)), f"a plate is listed twice: {texts}"
    return {read.text: (read.first_seen, read.last_seen, read.latitude_deg) for read in reads}


def drive_through(
    settings: EdgeSettings, video: Path, folder: Path, change: Callable[[int], None]
) -> tuple[Summary, Tunnel, list[LiveStatus]]:
    tunnel, seen = Tunnel(change), list[LiveStatus]()
    summary = run_drive(
        settings,
        str(video),
        [tunnel],
        SqliteReads(folder / "reads.db"),
        threading.Event(),
        on_status=seen.append,
        spool=folder / "reads.spool",
    )
    return summary, tunnel, seen


START = datetime.fromisoformat("2026-01-02T12:00:00+00:00")


@pytest.mark.parametrize("refuse", [True, False], ids=["refused", "silent"])
def test_plates_of_a_gap_are_listed_with_their_time_and_place(
    apis: FakeApis, video: Path, tmp_path: Path, refuse: bool
) -> None:
    gate = Gate()
    host, port = apis.url.removeprefix("http://").split(":")

    def change(number: int) -> None:
        if number == GAP.start - 1:
            gate.shut(refuse=refuse)
        elif number == GAP.stop - 1:
            gate.open()

    with delayed(host, int(port), 0.0, gate=gate) as far:
        settings = configured(f"http://127.0.0.1:{far}", tmp_path)
        summary, tunnel, seen = drive_through(settings, video, tmp_path, change)
    assert tunnel.shown == list(range(FRAMES))
    assert summary.dropped == {}
    assert summary.spool["kept_frames"] > 0
    assert summary.spool["waiting"] == 0, summary.spool
    assert any(not status.network.reachable and status.network.reason for status in seen)
    assert any(status.network.spooled for status in seen)
    reads = stored(tmp_path / "reads.db")
    assert set(reads) == {text_of(n) for n in range(PLATES)}
    for plate in (2, 3):
        first, last, latitude = reads[text_of(plate)]
        begin_s, end_s = (n * PLATE_FRAMES / RATE_HZ for n in (plate, plate + 1))
        assert begin_s - 0.2 <= (first - START).total_seconds() <= (last - START).total_seconds() <= end_s + 0.2
        assert latitude is not None
        assert begin_s - 0.2 <= (latitude - 45) * 6000 <= end_s + 0.2


def test_what_a_drive_could_not_send_is_read_by_the_next(
    apis: FakeApis, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_apis() as gone:
        pass
    summary, _, _ = drive_through(configured(gone.url, tmp_path), video, tmp_path, lambda _n: None)
    waiting = summary.spool["waiting"]
    assert waiting == summary.spool["kept_frames"] >= PLATES
    assert stored(tmp_path / "reads.db") == {}
    print_summary(summary, [], tmp_path / "reads.db", None)
    assert f"still to be read, by the next drive │ {waiting} │" in " ".join(capsys.readouterr().out.split())
    folder = tmp_path / "reads.spool"
    damaged = sorted(folder.glob("*.evidence"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    empty = tmp_path / "empty.avi"
    writer = cv2.VideoWriter(str(empty), cv2.VideoWriter.fourcc(*"MJPG"), float(RATE_HZ), (416, 234))
    writer.write(np.zeros((234, 416, 3), np.uint8))
    writer.release()
    summary, _, _ = drive_through(configured(apis.url, tmp_path), empty, tmp_path, lambda _n: None)
    assert (summary.spool["waiting"], summary.spool["corrupt"]) == (0, 1)
    assert summary.spool["done"] == waiting - 1
    reads = stored(tmp_path / "reads.db")
    assert set(reads) == {text_of(n) for n in range(PLATES)}
    assert not list(folder.glob("*.evidence"))


def test_crops_that_nobody_read_are_read_when_the_reader_is_back(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    lost = threading.Event()
    apis.drop = lambda path, _number: path == "/crnn" and lost.is_set()

    def change(number: int) -> None:
        if number == GAP.start - 1:
            lost.set()
        elif number == GAP.stop - 1:
            lost.clear()

    summary, tunnel, _ = drive_through(configured(apis.url, tmp_path), video, tmp_path, change)
    assert tunnel.shown == list(range(FRAMES))
    assert summary.spool["waiting"] == 0
    assert set(stored(tmp_path / "reads.db")) == {text_of(n) for n in range(PLATES)}


def stop_without_a_reader(apis: FakeApis, video: Path, folder: Path, **offline: object) -> Summary:
    """A drive that is stopped while the reader owes its answers: some plates are in flight, some wait."""
    stop, answer = threading.Event(), threading.Event()

    def instead(path: str, _number: int) -> Answer | None:
        if path == "/crnn":
            answer.wait(60)
        return None

    apis.instead = instead
    tunnel = Tunnel(lambda number: stop.set() if number == 2 * PLATE_FRAMES else None)
    settings = configured(apis.url, folder, **offline)
    pool = settings.pool.model_copy(update={"read_timeout_s": 60.0, "adaptive": False})
    summary = run_drive(
        settings.model_copy(update={"pool": pool}),
        str(video),
        [tunnel],
        SqliteReads(folder / "reads.db"),
        stop,
        spool=folder / "reads.spool",
    )
    answer.set()
    apis.instead = lambda _path, _number: None
    return summary


def test_plates_that_a_stop_left_unread_are_read_by_the_next_drive(
    apis: FakeApis, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    summary = stop_without_a_reader(apis, video, tmp_path)
    assert summary.left["lost"] == 0
    assert summary.left["kept"] >= 2
    assert stored(tmp_path / "reads.db") == {}
    assert f"{summary.left['kept']} plates were not read before the end; the next drive reads them" in caplog.text
    print_summary(summary, [], tmp_path / "reads.db", None)
    said = " ".join(capsys.readouterr().out.split())
    assert f"plates left for the next drive to read │ {summary.left['kept']} │" in said
    empty = tmp_path / "empty.avi"
    writer = cv2.VideoWriter(str(empty), cv2.VideoWriter.fourcc(*"MJPG"), float(RATE_HZ), (416, 234))
    writer.write(np.zeros((234, 416, 3), np.uint8))
    writer.release()
    summary, _, _ = drive_through(configured(apis.url, tmp_path), empty, tmp_path, lambda _n: None)
    assert (summary.spool["waiting"], summary.left) == (0, {"kept": 0, "lost": 0})
    reads = stored(tmp_path / "reads.db")
    assert {text_of(0), text_of(1)} <= set(reads) <= {text_of(plate) for plate in range(PLATES)}
    for plate in (0, 1):
        first, last, latitude = reads[text_of(plate)]
        begin_s, end_s = (n * PLATE_FRAMES / RATE_HZ for n in (plate, plate + 1))
        assert begin_s - 0.2 <= (first - START).total_seconds() <= (last - START).total_seconds() <= end_s + 0.2
        assert latitude is not None


def test_plates_that_a_stop_left_unread_are_counted_where_nothing_is_kept(
    apis: FakeApis, video: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    summary = stop_without_a_reader(apis, video, tmp_path, mode="off")
    assert summary.left["kept"] == 0
    assert summary.left["lost"] >= 2
    assert f"{summary.left['lost']} plates were not read before the end, and nothing is kept of them" in caplog.text
    assert f"{summary.left['lost']} plates not read and lost" in summary_line(summary, tmp_path / "reads.db")
    assert not (tmp_path / "reads.spool").exists()


def test_nothing_is_kept_where_the_owner_does_not_want_it(video: Path, tmp_path: Path) -> None:
    with fake_apis() as gone:
        pass
    summary, _, _ = drive_through(configured(gone.url, tmp_path, mode="off"), video, tmp_path, lambda _n: None)
    assert summary.spool == {}
    assert not (tmp_path / "reads.spool").exists()
