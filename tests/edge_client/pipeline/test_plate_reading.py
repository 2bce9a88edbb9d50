from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import PlateBox, Word
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.pipeline.events import CarDescribed, NoReport, SentCrop, Ticket
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.types import Fix, Frame, TrackedBox, TrackRead, UtcSource
from tests.edge_client.reports import described

START = datetime(2026, 1, 2, tzinfo=UTC)
QUAD = ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0))
RNG = np.random.default_rng(3)
IMAGE = RNG.integers(0, 255, (240, 640, 3), dtype=np.uint8)
BLURRED = np.full((240, 640, 3), 90, np.uint8)


def box(width: float, x: float = 100.0) -> PlateBox:
    return PlateBox(x, 80.0, x + width, 80.0 + width / 4, 0.9, (0.95,))


def ticket(number: int, *tracked: TrackedBox, fix: Fix | None = None) -> Ticket:
    seconds = number / 10
    frame = Frame(
        number,
        IMAGE,
        100.0 + seconds,
        START + timedelta(seconds=seconds),
        fix,
        0.3 if fix is not None else None,
        UtcSource.GPS if fix is not None else UtcSource.SYSTEM,
    )
    return Ticket(frame, seconds, seconds, tracked=tracked)


def seen(track: int, width: float, *, carried: bool = False, doubtful: bool = False, x: float = 100.0) -> TrackedBox:
    return TrackedBox(track, box(width, x), carried=carried, doubtful=doubtful)


def words(text: str, confidence: float = 0.97) -> tuple[Word, ...]:
    return (Word(text, QUAD, (confidence,) * len(text), confidence),)


def reading() -> PlateReading:
    return PlateReading("drive", EdgeSettings())


def test_the_best_crop_is_sent_with_the_time_and_place_at_which_it_was_seen() -> None:
    r = reading()
    sent: list[SentCrop] = []
    for number, width in enumerate((40, 60, 50, 45, 44, 43, 42)):
        fix = Fix(46.0 + number, 23.0, None, 100.0, 12.0, 270.0, 8, 0.9)
        r.see(ticket(number, seen(1, width), fix=fix))
        sent += r.due()
    (crop,) = sent
    assert (crop.sighting.frame_number, crop.sighting.media_s, crop.began) == (1, 0.1, START)
    (read,) = r.answered([crop], [words("AB12CDE")])
    assert (read.text, read.drive, read.uid, read.ended) == ("AB12CDE", "drive", "drive-1", False)
    assert (read.latitude_deg, read.speed_mps, read.course_deg, read.satellites, read.hdop) == (47.0, 12, 270, 8, 0.9)
    assert read.utc_source is UtcSource.GPS
    (single,) = read.singles
    assert (single.media_s, single.captured_monotonic_s, single.frame_number) == (0.1, 100.1, 1)
    assert read.crop_jpeg == crop.jpeg


def test_carried_boxes_are_not_read() -> None:
    r = reading()
    r.see(ticket(0, seen(1, 150, carried=True)))
    assert r.due(last=True) == []


def test_a_failed_crop_is_sent_again_but_not_for_ever_after_the_end() -> None:
    r = reading()
    r.see(ticket(0, seen(1, 150)))
    first = r.due()
    assert len(first) == 1
    assert r.answered(first, None) == []
    r.see(ticket(1))
    assert r.due() == first
    assert r.answered(first, None) == []
    last = r.due(last=True)
    assert last == first
    assert r.answered(last, None) == []
    assert r.due(last=True) == []


def test_at_the_end_all_crops_of_plates_that_nobody_read_are_given_out() -> None:
    r = reading()
    sights = {number: [seen(track, width) for track, width in ((1, 150), (2, 60), (3, 140))] for number in range(2)}
    for number, tracked in sights.items():
        r.see(ticket(number, *tracked))
    sent = {crop.track: crop for crop in r.due()}
    assert set(sent) == {1, 3}  # the small one waits for a better crop
    r.answered([sent[3]], [words("AB12CDE")])
    r.see(ticket(5, seen(2, 61), seen(3, 200), seen(4, 50)))
    left = r.unread([sent[1]])
    assert {crop.track for crop in left} == {1, 2, 4}
    assert {crop.jpeg for crop in left} >= {sent[1].jpeg}
    assert len({(crop.track, crop.sighting.frame_number) for crop in left}) == len(left)
    assert r.due(last=True) == []


def test_what_was_refused_at_the_very_end_is_given_out_too() -> None:
    r = reading()
    r.see(ticket(0, seen(1, 150)))
    last = r.due(last=True)
    r.answered(last, None)
    assert r.unread([]) == last


def test_a_read_may_come_long_after_its_track_ended() -> None:
    r = reading()
    r.see(ticket(0, seen(1, 150)))
    crops = r.due()
    r.see(ticket(10), lost=[1])
    assert r.end_tracks([1]) == []
    for number in range(11, 30):
        r.see(ticket(number))
        assert r.end_tracks([]) == []
    (read,) = r.answered(crops, [words("AB12CDE")])
    assert (read.first_seen, read.last_seen) == (START, START)
    assert r.labelled(seen(1, 150)).text == "AB12CDE"
    r.end_tracks([])
    assert r.labelled(seen(1, 150)).text is None
    (end,) = r.end()
    assert (end.uid, end.ended) == (read.uid, True)


def test_two_cars_in_one_track_are_two_reads() -> None:
    r = reading()
    r.see(ticket(0, seen(1, 150)))
    reads = r.answered(r.due(), [words("AB12CDE")])
    for number in range(40, 45):
        r.see(ticket(number, seen(1, 150, doubtful=number == 40, x=300.0)))
        for crop in r.due():
            reads += r.answered([crop], [words("XY98ZZZ")])
    assert [read.text for read in reads] == ["AB12CDE", "XY98ZZZ"]
    assert r.count == 2
    assert r.labelled(seen(1, 150)).text == "XY98ZZZ"


@given(
    st.lists(
        st.tuples(st.integers(60, 260), st.sampled_from(["AB12CDE", "AB12CDF", ""]), st.floats(0.3, 0.99)), max_size=60
    )
)
def test_the_evidence_crop_is_one_that_was_read(sights: list[tuple[int, str, float]]) -> None:
    r = reading()
    said: dict[bytes, set[str]] = {}
    stored: dict[str, TrackRead] = {}

    def ask(*, last: bool = False) -> bool:
        crops = r.due(last=last)
        text, confidence = (sights[asked[0] % len(sights)][1:]) if sights else ("", 0.5)
        asked[0] += 1
        for crop in crops:
            said.setdefault(crop.jpeg, set()).add(text)
            for read in r.answered([crop], [words(text, confidence) if text else ()]):
                stored[read.uid] = read
        return bool(crops)

    asked = [0]
    for number, (width, _, _) in enumerate(sights):
        r.see(ticket(number * 3, seen(number // 20, width)))
        ask()
    while ask(last=True):
        pass
    for read in r.end():
        stored[read.uid] = read
    for read in stored.values():
        assert read.crop_jpeg in said
        agreeing = [single for single in read.singles if single.text == read.text]
        assert not agreeing or read.text in said[read.crop_jpeg]


def test_one_record_per_passing_car() -> None:
    r = reading()
    stored: dict[str, TrackRead] = {}

    def save(reads: list[TrackRead]) -> None:
        for read in reads:
            stored[read.uid] = read

    for passing in range(3):
        begin = passing * 2000
        for number in range(begin, begin + 30):
            track = 2 * passing + (number >= begin + 15)  # lost and found as another track half way
            r.see(ticket(number, seen(track, 100 + number - begin)))
            for crop in r.due():
                save(r.answered([crop], [words("AB12CDE")]))
            if number == begin + 15:
                save(r.end_tracks([2 * passing]))
        r.see(ticket(begin + 60), lost=[2 * passing + 1])
        save(r.end_tracks([2 * passing + 1]))
        r.see(ticket(begin + 1900))
        save(r.end_tracks([]))
    assert [(read.text, read.ended) for read in stored.values()] == [("AB12CDE", True)] * 3
    firsts = [read.first_seen for read in stored.values()]
    assert firsts == [START + timedelta(seconds=200 * passing) for passing in range(3)]


CAR = described((0.0, 0.0, 400.0, 400.0))


def looking(**vehicles: object) -> PlateReading:
    return PlateReading("drive", load_settings(None, {"vehicles": {"wait_s": 0.0, **vehicles}}), cars=True)


def describe(r: PlateReading, *found: ReportedVehicle, colour: str = "red") -> list[TrackRead]:
    """Answers for the car that is due."""
    car = r.car_due(last=True)
    assert car is not None
    return r.described(CarDescribed(car, found or (described((0.0, 0.0, 400.0, 400.0), colour=(colour, 0.9)),)))


def look(read: TrackRead) -> str:
    return read.vehicle.title if read.vehicle is not None else ""


def test_what_a_car_looks_like_comes_before_or_after_its_plate() -> None:
    r = looking()
    r.see(ticket(0, seen(1, 150), seen(2, 150, x=400.0)))
    crops = {crop.track: crop for crop in r.due()}
    assert r.labelled(seen(1, 150)).vehicle == ""
    (first,) = r.answered([crops[1]], [words("AB12CDE")])
    assert look(first) == ""
    told = [describe(r), describe(r)]  # the first is of track 1
    (again,) = told[0]
    assert (again.uid, again.text, look(again)) == (first.uid, "AB12CDE", "red Suzuki Swift")
    assert told[1] == []  # its plate is not read yet
    assert (r.labelled(seen(2, 150)).text, r.labelled(seen(2, 150)).vehicle) == (None, "red Suzuki Swift")
    (second,) = r.answered([crops[2]], [words("XY98ZZZ")])
    assert (second.text, look(second)) == ("XY98ZZZ", "red Suzuki Swift")
    assert r.car_due(last=True) is None
    assert [look(read) for read in r.end()] == ["red Suzuki Swift"] * 2
    assert r.cars().items() >= {"described": 2, "not_found": 0, "given_up": 0, "without_plate": 0}.items()


def test_a_track_waits_for_what_its_car_looks_like_and_is_then_kept_without_a_plate() -> None:
    r = looking()
    fix = Fix(46.0, 23.0, None, 100.0, 12.0, 270.0, 8, 0.9)
    r.see(ticket(0, seen(1, 150), fix=fix))
    r.see(ticket(3, seen(1, 150), fix=fix))
    r.answered(r.due(), [()])
    car = r.car_due()
    assert car is not None
    r.see(ticket(40), lost=[1])
    assert r.end_tracks([1]) == []
    while crops := r.due():
        r.answered(crops, [()] * len(crops))
    assert r.end_tracks([]) == []  # the answer about the car is still to come
    assert r.described(CarDescribed(car, (CAR,))) == []
    (read,) = r.end_tracks([])
    assert (read.uid, read.text, read.confidence, read.ended, look(read)) == (
        "drive-v1", "", 0.0, True, "red Suzuki Swift",
    )  # fmt: skip
    assert (read.first_seen, read.last_seen) == (START, START + timedelta(seconds=0.3))
    assert (read.latitude_deg, read.speed_mps, read.utc_source) == (46.0, 12.0, UtcSource.GPS)
    assert read.crop_jpeg == car.picture.jpeg
    assert r.end() == []
    assert r.count == 0
    assert r.cars()["without_plate"] == 1


def test_a_weak_read_keeps_the_car_without_its_text() -> None:
    r = looking()
    r.see(ticket(0, seen(1, 150)))
    assert r.answered(r.due(), [words("AB12CDE", 0.3)]) == []
    describe(r)
    (read,) = r.end()
    assert (read.text, look(read)) == ("", "red Suzuki Swift")


def test_plates_that_another_drive_will_read_are_not_kept_without_a_plate() -> None:
    r = looking()
    r.see(ticket(0, seen(1, 150)))
    crops = r.due()
    describe(r)
    assert {crop.track for crop in r.unread(crops)} == {1}
    assert r.end() == []


def test_two_cars_in_one_track_look_each_like_itself() -> None:
    r = looking()
    r.see(ticket(0, seen(1, 150)))
    reads = r.answered(r.due(), [words("AB12CDE")])
    reads += describe(r)
    assert r.car_due(last=True) is None
    for number in range(40, 45):
        r.see(ticket(number, seen(1, 150, doubtful=number == 40, x=300.0)))
        for crop in r.due():
            reads += r.answered([crop], [words("XY98ZZZ")])
    assert r.labelled(seen(1, 150)).vehicle == ""
    r.see(ticket(45, seen(1, 150, x=300.0)))
    reads += describe(r, colour="blue")
    latest = {read.text: look(read) for read in [*reads, *r.end()]}
    assert latest == {"AB12CDE": "red Suzuki Swift", "XY98ZZZ": "blue Suzuki Swift"}


def test_small_plates_and_carried_ones_have_no_car_to_be_asked_for() -> None:
    r = looking(min_width_px=30)
    r.see(ticket(0, seen(1, 29), seen(2, 150, carried=True)))
    assert r.car_due(last=True) is None


def test_apis_without_a_report_hold_up_no_track() -> None:
    r = looking()
    r.see(ticket(0, seen(1, 150)))
    car = r.car_due()
    assert car is not None
    r.answered(r.due(), [()])
    assert r.described(CarDescribed(car, NoReport.NOT_OFFERED)) == []
    r.end_tracks([1])
    r.see(ticket(1, seen(2, 150)))
    assert r.car_due(last=True) is None
    assert r.end() == []
    assert r.cars()["given_up"] == 0
