from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox
from edge_client.config import ReadingSettings, ReadSettings
from edge_client.tracking.plates import PlateBook
from edge_client.types import Fix, SingleRead, TrackRead

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def place(track: int) -> PlateBox:
    return PlateBox(100.0 * track, 0.0, 100.0 * track + 60, 15.0, 0.9, (0.9,))


def single(
    text: str,
    track: int = 0,
    frame: int = 0,
    confidence: float = 0.9,
    width_px: int = 60,
    fix: Fix | None = None,
) -> SingleRead:
    return SingleRead(
        track_id=track,
        frame_number=frame,
        utc=START + timedelta(seconds=frame),
        words=(),
        text=text,
        confidences=(confidence,) * len(text),
        crop_jpeg=f"{text} {frame}".encode(),
        crop_width_px=width_px,
        crop_height_px=15,
        sharpness=1.0,
        box=place(track),
        fix=fix,
        fix_age_s=0.1 if fix is not None else None,
    )


class Drive:
    """A book together with what a store would hold."""

    def __init__(self) -> None:
        self.book = PlateBook("run", ReadSettings(), ReadingSettings())
        self.stored: dict[str, TrackRead] = {}

    def add(self, read: SingleRead) -> None:
        self.save(self.book.add(read, read.utc, float(read.frame_number)))

    def save(self, reads: list[TrackRead]) -> None:
        for read in reads:
            for uid in read.supersedes:
                self.stored.pop(uid, None)
            self.stored[read.uid] = read

    @property
    def texts(self) -> list[str]:
        return [read.text for read in self.stored.values()]


def test_reads_of_one_track_are_voted_into_one() -> None:
    drive = Drive()
    for frame, text in enumerate(["AB123CD", "AB128CD", "AB123CD"]):
        drive.add(single(text, frame=frame))
    (read,) = drive.stored.values()
    assert (read.text, len(read.singles), drive.book.count) == ("AB123CD", 3, 1)
    assert (read.first_seen, read.last_seen) == (START, START + timedelta(seconds=2))


def test_a_lone_read_must_be_surer_than_several() -> None:
    drive = Drive()
    drive.add(single("AB123", frame=0, confidence=0.7))
    assert drive.stored == {}
    drive.add(single("AB123", frame=1, confidence=0.7))
    assert drive.texts == ["AB123"]


def test_doubtful_short_and_long_texts_are_not_stored() -> None:
    drive = Drive()
    drive.add(single("AB123", track=0, confidence=0.3))
    drive.add(single("AB1", track=1))
    drive.add(single("ABCDEFGHIJKL", track=2))
    drive.add(single("", track=3))
    assert drive.stored == {}
    assert drive.book.count == 0


def test_tracks_of_one_plate_share_one_read() -> None:
    drive = Drive()
    drive.add(single("24LSB1", track=0, frame=0))
    drive.add(single("24LSB1", track=5, frame=40))
    assert drive.texts == ["24LSB1"]
    (read,) = drive.stored.values()
    assert read.last_seen == START + timedelta(seconds=40)


def test_nearly_equal_doubtful_reads_are_one_plate_only_within_a_short_time() -> None:
    drive = Drive()
    drive.add(single("24LSB1", track=0, frame=0, confidence=0.95))
    drive.add(single("24LSB7", track=1, frame=5, confidence=0.6))
    assert drive.texts == ["24LSB1"]
    for frame in (500, 501):
        drive.add(single("24LSB7", track=2, frame=frame, confidence=0.6))
    assert sorted(drive.texts) == ["24LSB1", "24LSB7"]


def test_similar_plates_seen_together_stay_two() -> None:
    drive = Drive()
    drive.add(single("TX100", track=0, frame=7))
    drive.add(single("TX10O", track=1, frame=7))
    assert sorted(drive.texts) == ["TX100", "TX10O"]


def test_a_track_that_runs_over_to_another_plate_is_split() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0))
    drive.add(single("24LSB1", frame=1))
    drive.add(single("89NVJP", frame=2))
    drive.add(single("89NVJP", frame=3))
    assert sorted(drive.texts) == ["24LSB1", "89NVJP"]
    assert drive.book.vote_of(0).text == "89NVJP"


def test_a_doubtful_misread_of_a_well_read_plate_changes_nothing() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0))
    drive.add(single("24LSB1", frame=1))
    drive.add(single("7XKQ", frame=2, confidence=0.4))
    assert drive.texts == ["24LSB1"]
    assert len(next(iter(drive.stored.values())).singles) == 2


def test_two_stored_reads_that_become_equal_are_merged() -> None:
    drive = Drive()
    drive.add(single("24LSB1", track=0, frame=7, confidence=0.9))
    drive.add(single("24KSB1", track=1, frame=7, confidence=0.92))
    assert len(drive.stored) == 2
    for frame in (8, 9):
        drive.add(single("24LSB1", track=1, frame=frame, confidence=0.95))
    assert drive.texts == ["24LSB1"]
    (read,) = drive.stored.values()
    assert read.supersedes == ("run-2",)
    assert drive.book.vote_of(1).text == "24LSB1"


def test_the_position_is_that_of_the_best_single_read_and_none_without_a_fix() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0, width_px=30, confidence=0.92))
    (read,) = drive.stored.values()
    assert (read.latitude_deg, read.longitude_deg, read.fix_age_s) == (None, None, None)
    drive.add(single("24LSB1", frame=1, width_px=90, fix=Fix(46.0, 23.0, None, 0.0)))
    (read,) = drive.stored.values()
    assert (read.latitude_deg, read.longitude_deg, read.fix_age_s) == (46.0, 23.0, 0.1)
    assert read.crop_jpeg == b"24LSB1 1"


def test_seen_again_is_stored_when_the_track_ends() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0))
    drive.book.seen(0, START + timedelta(seconds=9), 9.0)
    drive.save(drive.book.end_track(0))
    (read,) = drive.stored.values()
    assert read.last_seen == START + timedelta(seconds=9)
    assert drive.book.end_track(0) == []


def test_memory_is_bounded_on_a_long_drive() -> None:
    drive = Drive()
    for n in range(400):
        for again in range(3 if n else 20):
            drive.add(single(f"AB{n:04d}Z", track=n, frame=100 * n + again))
        drive.book.end_track(n)
    assert drive.book.count == len(drive.stored) == 400
    assert all(len(read.singles) <= ReadingSettings().max_reads for read in drive.stored.values())
    assert len(drive.book._records) <= 301


PLATES = st.sampled_from(["24LSB1", "89NVJP", "24LSBI", "28RBN4", "4LSB1", "8RBN"])


@settings(max_examples=60)
@given(st.lists(st.tuples(PLATES, st.integers(0, 3), st.integers(0, 60), st.floats(0.1, 1.0)), max_size=30))
def test_each_text_is_stored_once(reads: list[tuple[str, int, int, float]]) -> None:
    drive = Drive()
    for text, track, frame, confidence in sorted(reads, key=lambda r: r[2]):
        drive.add(single(text, track, frame, confidence))
    drive.save(drive.book.end_all())
    assert len(set(drive.texts)) == len(drive.texts)
    assert drive.book.count == len(drive.stored)
