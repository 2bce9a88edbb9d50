"""The logs of real receivers, beside gpsd's own parse of each.

Rules of the comparison. A fix of ours is looked up among gpsd's reports (TPV) of the same time. gpsd reports once a
cycle has ended, so the last moment of a log may be ours alone; and it reports moments that lie before the last one,
which we leave out because time never runs backwards: both are counted here, and their places are compared too.
Speed and course are compared with that report of a moment that has them from RMC: before it has come, gpsd works
them out from the way between two places.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from edge_client.positions.moments import MomentFix, fixes
from edge_client.positions.nmea import NmeaError, parse

COUNTS = {  # fixes, of them not reported by gpsd, reported by gpsd and not a fix of ours
    "bu353-glonass": (9, 0, 0),
    "nmea-fuzzy-cases": (14, 0, 0),
    "quectel-eg25-g": (23, 0, 0),
    "quectel-eg25-g-2": (3, 0, 0),
    "quectel-l76k-nmea": (151, 1, 0),
    "sirfstarv-nmea": (59, 0, 0),
    "telit-he910": (186, 0, 1),
    "ublox-8": (72, 0, 0),
}
TOLERANCE_DEG = 1e-6


def lines_of(folder: Path, name: str) -> list[str]:
    return (folder / f"{name}.log").read_text(encoding="ascii", errors="replace").splitlines()


def reports_of(folder: Path, name: str) -> list[dict[str, float | str]]:
    lines = (folder / f"{name}.log.chk").read_text(errors="replace").splitlines()
    reports = [json.loads(line) for line in lines if line.startswith('{"class":"TPV"')]
    return [report for report in reports if "lat" in report]


def near(first: tuple[float, float], report: dict[str, float | str]) -> bool:
    return max(abs(first[0] - float(report["lat"])), abs(first[1] - float(report["lon"]))) <= TOLERANCE_DEG


def time_of(fix: MomentFix) -> str:
    assert fix.utc is not None
    return fix.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_every_log_has_its_row(shared_data: Path) -> None:
    assert {log.stem for log in (shared_data / "gps").glob("*.log")} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_the_fixes_lie_where_gpsd_says(shared_data: Path, name: str) -> None:
    by_time = defaultdict(list)
    for report in reports_of(shared_data / "gps", name):
        by_time[report.get("time")].append(report)
    untimed = by_time.pop(None, [])
    found = {time_of(fix): fix for fix in fixes(lines_of(shared_data / "gps", name))}
    assert (len(found), len(found.keys() - by_time.keys()), len(by_time.keys() - found.keys())) == COUNTS[name]
    for time, fix in found.items():
        assert all(near((fix.latitude_deg, fix.longitude_deg), report) for report in by_time[time])
        for ours, key in ((fix.speed_mps, "speed"), (fix.course_deg, "track")):
            theirs = [report[key] for report in by_time[time] if key in report]
            assert not theirs or ours is None or any(ours == pytest.approx(value, abs=1e-3) for value in theirs)
    for report in untimed:  # before gpsd knew the date
        assert any(near((fix.latitude_deg, fix.longitude_deg), report) for fix in found.values())


@pytest.mark.parametrize("name", COUNTS)
def test_every_single_sentence_lies_where_gpsd_says(shared_data: Path, name: str) -> None:
    reports = reports_of(shared_data / "gps", name)
    positions = set()
    for line in lines_of(shared_data / "gps", name):
        try:
            found = parse(line)
        except NmeaError:
            continue
        if found is not None and found.position is not None:
            positions.add(found.position)
    alone = [place for place in positions if not any(near(place, report) for report in reports)]
    missed = [report for report in reports if not any(near(place, report) for place in positions)]
    assert (alone, missed) == ([], [])
    assert bool(positions) == bool(reports)
