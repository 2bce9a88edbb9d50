"""The report of a drive: figures beside their targets, as text, JSON and a plot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.drive.gap import Gap, recovery_s
from tools.drive.score import Score
from tools.drive.watching import Sample


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as text; `reached` is None where there is no target."""

    name: str
    value: str
    target: str = ""
    reached: bool | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The segments: how many, how many play at all, and how many seconds they play together."""

    segments: int
    playable: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a drive left; `summary` is that of `--summary-json`, seconds are those of the film."""

    seconds: float
    frame_rate_hz: float
    summary: dict[str, object]
    samples: tuple[Sample, ...]
    gap: Gap | None
    shut_at: Sample | None
    opened_at: Sample | None
    score: Score
    recorded: Recorded
    wall_s: float


def figures(outcome: Outcome) -> list[Figure]:
    """The figures of a drive in the order of the report."""
    return [*_frames(outcome), *_gap(outcome), *_plates(outcome), *_process(outcome), *_recording(outcome)]


def _frames(o: Outcome) -> list[Figure]:
    shown, dropped = _counts(o.summary["shown"]), _counts(o.summary["dropped"])
    captured, age = int(str(o.summary["captured"])), o.summary["frame_age_s"]
    p99_s = float(age["p99"]) if isinstance(age, dict) else 0.0
    kinds = ", ".join(f"{n} {kind}" for kind, n in shown.items())
    out_of_order = int(str(o.summary["out_of_order"]))
    due = round(o.seconds * o.frame_rate_hz)
    return [
        Figure("film", f"{o.seconds / 60:.1f} min at {o.frame_rate_hz:g} frames/s, driven in {o.wall_s / 60:.1f} min"),
        Figure("frames captured", f"{captured} of {due}"),
        Figure("frames shown", f"{sum(shown.values())} ({kinds})", "all", sum(shown.values()) == captured),
        Figure("frames dropped", str(sum(dropped.values())), "0", sum(dropped.values()) == 0),
        Figure("out of order", str(out_of_order), "0", out_of_order == 0),
        Figure("age when shown, p99", f"{p99_s:.2f} s"),
    ]


def _gap(o: Outcome) -> list[Figure]:
    if o.gap is None:
        return []
    if o.shut_at is None or o.opened_at is None:
        return [Figure("gap", "the drive ended before it", "gap within the drive", reached=False)]
    in_gap = o.opened_at.dropped - o.shut_at.dropped
    back_s = recovery_s(o.samples, o.opened_at)
    return [
        Figure("gap", f"{o.gap.length_s:.0f} s of film, {o.opened_at.at_s - o.shut_at.at_s:.0f} s by the clock"),
        Figure("frames lost in the gap", str(in_gap), "0", in_gap == 0),
        Figure(
            "results back after the gap",
            "never" if back_s is None else f"{back_s:.1f} s",
            "≤ 5 s",
            back_s is not None and back_s <= 5.0,
        ),
    ]


def _plates(o: Outcome) -> list[Figure]:
    s = o.score
    found = [
        Figure("plates read right", f"{s.read_right} of {s.readable} passes that a person could read ({s.share:.0%})"),
        Figure("passes with two records", str(s.doubled)),
        Figure("reads of no plate", f"{len(s.foreign)}{': ' + ', '.join(s.foreign) if s.foreign else ''}"),
        Figure("reads without a place", str(s.without_place), "0", s.without_place == 0),
    ]
    if s.worst_place_m is not None:
        found.append(Figure("farthest from the route", f"{s.worst_place_m:.1f} m", "≤ 25 m", s.worst_place_m <= 25.0))
    if o.gap is not None:
        told = (
            f"{s.read_in_gap} of {s.expected_in_gap}{': not ' + ', '.join(s.missed_in_gap) if s.missed_in_gap else ''}"
        )
        reached = s.expected_in_gap > 0 and not s.missed_in_gap
        found.append(Figure("plates of the gap read afterwards", told, "all", reached))
    return found


def _process(o: Outcome) -> list[Figure]:
    warm = [s for s in o.samples if s.at_s >= min(30.0, o.wall_s / 4)]
    if len(warm) < 2:
        return []
    film_s = (warm[-1].captured - warm[0].captured) / o.frame_rate_hz
    share = (warm[-1].cpu_s - warm[0].cpu_s) / film_s if film_s > 0 else 0.0
    most = max(s.resident_mib for s in warm)
    return [
        Figure("device process, of one core", f"{share:.0%} (recording and page on)", "≤ 60 %", share <= 0.6),
        Figure("device process, resident at most", f"{most:.0f} MiB", "≤ 300 MB", most * 2**20 <= 300e6),
        Figure("resident, first and last minute", f"{_mean(warm[:240]):.0f} and {_mean(warm[-240:]):.0f} MiB"),
    ]


def _recording(o: Outcome) -> list[Figure]:
    r = o.recorded
    return [
        Figure("segments that play", f"{r.playable} of {r.segments}", "all", 0 < r.segments == r.playable),
        Figure("recorded", f"{r.seconds:.1f} s of {o.seconds:.1f} s", "≥ 99 %", r.seconds >= 0.99 * o.seconds),
    ]


def write_report(outcome: Outcome, folder: Path) -> list[Figure]:
    """Writes report.txt, report.json and samples.json; gives the figures."""
    found = figures(outcome)
    with (folder / "report.txt").open("w", encoding="utf-8") as file:
        Console(file=file, width=140, highlight=False).print(table(found))
    data = {"figures": [asdict(f) for f in found], "score": asdict(outcome.score), "summary": outcome.summary}
    (folder / "report.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    samples = [asdict(s) for s in outcome.samples]
    (folder / "samples.json").write_text(json.dumps(samples) + "\n", encoding="utf-8")
    return found


def table(found: Sequence[Figure]) -> Table:
    """The figures for people."""
    made = Table(title="The long drive", title_justify="left")
    for heading in ("figure", "measured", "target", ""):
        made.add_column(heading, overflow="fold")
    for figure in found:
        mark = "" if figure.reached is None else "reached" if figure.reached else "MISSED"
        made.add_row(figure.name, figure.value, figure.target, mark)
    return made


def _mean(samples: Sequence[Sample]) -> float:
    return sum(s.resident_mib for s in samples) / len(samples)


def _counts(value: object) -> dict[str, int]:
    return {str(k): int(v) for k, v in value.items()} if isinstance(value, dict) else {}
