"""Passes, reads and the gap between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tools.bench.delay_proxy import Gate
from tools.bench.drives import joined
from tools.crash.film import write_film
from tools.demo.route import START
from tools.demo.truth import DriveTruth, PlateTruth
from tools.drive.film import Pass, Scenes, drive_route, passes, write_log
from tools.drive.film import write_film as write_long
from tools.drive.gap import Gap, Tunnel, recovery_s
from tools.drive.score import KeptRead, film_time_s, score
from tools.drive.watching import Sample, sample_of

BOX = (0.0, 0.0, 90.0, 20.0)
ROUTE = drive_route(400)
SAMPLE = Sample(0.0, 1.0, 100.0, 0, {"annotated": 0, "carried": 0, "plain": 0}, 0, 0, 0.2, 30.0, {})


def truth(*plates: tuple[str, int, int]) -> DriveTruth:
    made = tuple(PlateTruth(text, "RO", dict.fromkeys(range(a, b), BOX)) for text, a, b in plates)
    return DriveTruth(300, 30.0, 1280, 720, 1, made)


def kept(text: str, start_s: float, end_s: float) -> KeptRead:
    point = ROUTE[round(start_s)]
    return KeptRead(text, start_s, end_s, point.latitude_deg, point.longitude_deg)


def test_plates_pass_once_in_each_round() -> None:
    played = Scenes((Path("a"), Path("b")), (truth(("AA11AAA", 0, 60)), truth(("BB22BBB", 30, 90))))
    assert played.length_s == 20.0
    found = passes(played, 42.0)
    assert [(p.text, p.start_s) for p in found] == [
        ("AA11AAA", 0.0), ("BB22BBB", 11.0), ("AA11AAA", 20.0), ("BB22BBB", 31.0), ("AA11AAA", 40.0),
    ]  # fmt: skip
    assert all(p.readable for p in found)
    assert not passes(Scenes((Path("a"),), (truth(("AA11AAA", 0, 5)),)), 10.0)[0].readable


def rounds(text: str, at_s: list[float]) -> list[Pass]:
    return [Pass(text, s, s + 2, readable=True) for s in at_s]


def test_the_gap_is_held_against_the_rest_of_the_drive() -> None:
    gap = Gap(100.0, 200.0)
    all_passes = rounds("AA11AAA", [10, 110, 210]) + rounds("BB22BBB", [20, 120, 220]) + rounds("CC33CCC", [130])
    reads = [kept("AA11AAA", s, s + 1) for s in (10, 110, 210)] + [kept("BB22BBB", s, s + 1) for s in (20, 220)]
    found = score(all_passes, reads, ROUTE, gap)
    assert (found.readable, found.read_right) == (7, 5)
    assert (found.expected_in_gap, found.read_in_gap) == (2, 1)  # nobody knows whether CC33CCC can be read
    assert found.missed_in_gap == ("BB22BBB at 120 s",)
    assert found.worst_place_m == pytest.approx(0.0, abs=0.1)
    later = score(all_passes, [*reads, kept("BB22BBB", 120, 121)], ROUTE, gap)
    assert later.read_in_gap == 2


def test_a_plate_that_comes_again_at_once_may_be_one_record() -> None:
    all_passes = rounds("AA11AAA", [10, 110, 125, 210])
    reads = [kept("AA11AAA", s, s + 1) for s in (10, 110, 210)]
    assert score(all_passes, reads, ROUTE, Gap(100.0, 200.0)).expected_in_gap == 0


def test_a_read_at_another_time_or_place_does_not_count() -> None:
    gap = Gap(100.0, 200.0)
    all_passes = rounds("AA11AAA", [10, 110, 210])
    late = [kept("AA11AAA", s, s + 1) for s in (10, 210, 230)]  # landed when it was read, not when it was seen
    assert score(all_passes, late, ROUTE, gap).missed_in_gap == ("AA11AAA at 110 s",)
    elsewhere = replace(kept("AA11AAA", 10, 11), latitude_deg=ROUTE[200].latitude_deg)
    worst = score(all_passes, [elsewhere], ROUTE, None).worst_place_m
    assert worst is not None
    assert worst > 100


def test_doubled_and_foreign_reads_are_told() -> None:
    all_passes = rounds("AA11AAA", [10])
    reads = [kept("AA11AAA", 10, 11), kept("AA11AAA", 11, 12), kept("AA11AAB", 10, 11), kept("XYZ999", 50, 51)]
    found = score(all_passes, [*reads, KeptRead("AA11AAA", 300, 301, None, None)], ROUTE, None)
    assert (found.doubled, found.foreign, found.without_place) == (1, ("XYZ999",), 1)
    assert film_time_s(START + timedelta(seconds=7)) == 7.0


@pytest.mark.parametrize("text", ["", "5", "a:b", "9:5", "-3:5"])
def test_gaps_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Gap.parse(text)


def test_the_tunnel_follows_the_film() -> None:
    gate = Gate()
    tunnel = Tunnel(gate, Gap.parse("10:20"), 30.0, refuse=True)
    states = []
    for film_s in (0, 9, 10, 15, 20, 25):
        tunnel.see(replace(SAMPLE, at_s=film_s * 2.0, captured=film_s * 30))
        states.append(gate.refusing)
    assert states == [False, False, True, True, False, False]
    assert tunnel.shut_at is not None
    assert tunnel.opened_at is not None
    assert (tunnel.shut_at.at_s, tunnel.opened_at.at_s) == (20.0, 40.0)


def test_recovery_is_the_first_result_after_the_gap() -> None:
    opened = replace(SAMPLE, at_s=40.0, shown={"annotated": 100})
    later = [replace(SAMPLE, at_s=40.0 + n / 2, shown={"annotated": 100 + (n >= 5) * n}) for n in range(1, 10)]
    assert recovery_s([opened, *later], opened) == 2.5
    assert recovery_s([opened], opened) is None


def test_a_sample_is_read_from_the_page() -> None:
    summary = {
        "captured": 9, "shown": {"annotated": 7}, "dropped": {"late": 2}, "reads": 1, "frame_age_s": {"p99": 0.5},
    }  # fmt: skip
    states = [{"part": "network", "word": "away", "detail": "12 to read later"}]
    sample = sample_of({"summary": summary, "frame_rate_hz": 29.9, "states": states}, 1.0, 2.0, 3.0)
    assert (sample.captured, sample.shown_frames, sample.dropped) == (9, 7, 2)
    assert sample.states == {"network": "away 12 to read later"}


def test_films_are_joined_and_looped_without_encoding(tmp_path: Path) -> None:
    first, second = write_film(tmp_path / "a.mp4", 0.5), write_film(tmp_path / "b.mp4", 1.0)
    with av.open(str(joined([first, second], tmp_path / "both.mp4"))) as container:
        times = [f.time for f in container.decode(video=0)]
    assert len(times) == 45
    assert all(b - a == pytest.approx(1 / 30, abs=1e-3) for a, b in pairwise(times))
    played = Scenes((first, second), (truth(), truth()))
    with av.open(str(write_long(played, tmp_path / "long.mp4", 4.0))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 135


def test_the_route_is_a_log_of_a_receiver(tmp_path: Path) -> None:
    text = write_log(drive_route(5.0), tmp_path / "route.nmea").read_bytes().decode("ascii")
    assert text.count("$GPRMC") == 7
    assert text.endswith("\r\n")
    assert "\r\r" not in text
