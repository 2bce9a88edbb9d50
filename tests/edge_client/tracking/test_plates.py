from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox, Word
from edge_client.config import ReadingSettings, ReadSettings
from edge_client.tracking.plates import PlateBook
from edge_client.types import Fix, SingleRead, Stamp, TrackRead

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
        self.save(self.book.add(read, Stamp(read.utc), float(read.frame_number)))

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
    drive.book.seen(0, Stamp(START + timedelta(seconds=9)), 9.0)
    drive.save(drive.book.end_track(0))
    (read,) = drive.stored.values()
    assert read.last_seen == START + timedelta(seconds=9)
    assert drive.book.end_track(0) == []


def test_sights_keep_their_order_when_the_clock_is_set_back() -> None:
    book = PlateBook("run", ReadSettings(), ReadingSettings())
    before = [replace(single("24LSB1", frame=n), captured_monotonic_s=100.0 + n) for n in range(2)]
    for read in before:
        book.add(read, Stamp(START, 100.0), float(read.frame_number))
    back = START - timedelta(hours=1)
    book.seen(0, Stamp(back + timedelta(seconds=9), 109.0), 9.0)
    (again,) = book.end_track(0)
    assert (again.first_seen, again.first_monotonic_s) == (START, 100.0)
    assert (again.last_seen, again.last_monotonic_s) == (back + timedelta(seconds=9), 109.0)


def test_memory_is_bounded_on_a_long_drive() -> None:
    drive = Drive()
    for n in range(400):
        for again in range(3 if n else 20):
            drive.add(single(f"AB{n:04d}Z", track=n, frame=100 * n + again))
        drive.book.end_track(n)
        drive.save(drive.book.close_idle(100.0 * n))
    assert drive.book.count == len(drive.stored) == 400
    assert all(len(read.singles) <= ReadingSettings().max_reads for read in drive.stored.values())
    assert len(drive.book._records) <= 301


def test_a_record_is_closed_once_its_car_has_passed() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0))
    passed_s = ReadingSettings().passed_s
    assert drive.book.close_idle(passed_s + 10) == []  # its track goes on
    drive.book.end_track(0)
    assert drive.book.close_idle(passed_s - 1) == []
    (read,) = drive.book.close_idle(passed_s + 1)
    assert (read.uid, read.text, read.drive, read.ended) == ("run-1", "24LSB1", "run", True)
    assert drive.book.close_idle(passed_s + 2) == []
    assert drive.book.end_all() == []


def test_a_car_that_passes_again_is_a_new_read() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0))
    drive.book.end_track(0)
    drive.save(drive.book.close_idle(500.0))
    drive.add(single("24LSB1", track=1, frame=500))
    drive.save(drive.book.end_all())
    assert drive.texts == ["24LSB1", "24LSB1"]
    assert [read.ended for read in drive.stored.values()] == [True, True]


def test_a_read_that_comes_late_improves_the_closed_record_of_its_car() -> None:
    drive = Drive()
    drive.add(single("24LSB1", frame=0))
    drive.book.end_track(0)
    drive.save(drive.book.close_idle(500.0))
    drive.add(single("24LSB1", track=7, frame=3, confidence=0.97))
    (read,) = drive.stored.values()
    assert (read.ended, len(read.singles), read.last_seen) == (True, 2, START + timedelta(seconds=3))


def test_what_the_fix_told_is_kept() -> None:
    drive = Drive()
    fix = Fix(46.0, 23.0, None, 0.0, speed_mps=12.5, course_deg=271.0, satellites=9, hdop=0.8)
    drive.add(single("24LSB1", fix=fix))
    (read,) = drive.stored.values()
    assert (read.speed_mps, read.course_deg, read.satellites, read.hdop) == (12.5, 271.0, 9, 0.8)


def test_the_evidence_crop_is_one_that_says_what_was_voted() -> None:
    drive = Drive()
    drive.add(single("24LSB7", frame=0, width_px=200, confidence=0.92))
    for frame in (1, 2, 3):
        drive.add(single("24LSB1", frame=frame, width_px=60 + frame, confidence=0.97))
    (read,) = drive.stored.values()
    assert read.text == "24LSB1"
    assert read.crop_jpeg == b"24LSB1 3"


def test_a_sharper_crop_counts_more() -> None:
    blurred = replace(single("24LSB7", frame=0), sharpness=5.0)
    sharp = replace(single("24LSB1", frame=1), sharpness=900.0)
    drive = Drive()
    drive.add(blurred)
    drive.add(sharp)
    assert drive.texts == ["24LSB1"]


def test_a_calibrated_chance_to_be_right_decides_about_a_lone_read() -> None:
    quad = ((0.0, 0.0),) * 4

    def told(text: str, track: int, plate_confidence: float) -> SingleRead:
        confidences = (0.93,) * len(text)
        read = single(text, track=track, confidence=0.93)
        return replace(read, words=(Word(text, quad, confidences, plate_confidence),))

    drive = Drive()
    drive.add(told("24LSB1", 0, 0.6))
    assert drive.stored == {}
    drive.add(told("89NVJP", 1, 0.95))
    assert drive.texts == ["89NVJP"]


def test_reads_that_disagree_in_a_track_are_told() -> None:
    drive = Drive()
    assert not drive.book.contradicts(single("24LSB1"))
    drive.add(single("24LSB1"))
    assert not drive.book.contradicts(single("24LSB7"))
    assert drive.book.contradicts(single("89NVJP"))
    assert not drive.book.contradicts(single(""))


def test_a_stored_read_is_not_lost_in_a_plate_that_is_less_sure() -> None:
    drive = Drive()
    drive.add(single("24LSB1", 1, 0, 0.5))
    drive.add(single("4LSB1", 0, 31, 1.0))
    drive.add(single("4LSB1", 1, 32, 0.5))
    drive.save(drive.book.end_all())
    assert len(drive.stored) == drive.book.count == 1


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
