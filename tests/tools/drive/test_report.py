"""The report of a drive, and a short drive as a whole."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tools.drive.cli import main, prepare
from tools.drive.gap import Gap
from tools.drive.plot import plot, shown_rates
from tools.drive.report import Outcome, Recorded, figures, write_report
from tools.drive.score import Score
from tools.drive.watching import Sample

RATE_HZ = 30.0


def samples() -> tuple[Sample, ...]:
    """Two minutes, half a second each; no results between 40 s and 63 s."""
    made, annotated, plain = [], 0, 0
    for n in range(1, 241):
        at_s = n / 2
        annotated, plain = (annotated, plain + 15) if 40 <= at_s < 63 else (annotated + 15, plain)
        shown = {"annotated": annotated, "plain": plain}
        made.append(Sample(at_s, 0.4 * at_s, 150.0, n * 15, shown, 0, n // 20, 0.4, RATE_HZ, {}))
    return tuple(made)


SAMPLES = samples()
GOOD = Outcome(
    seconds=120.0,
    frame_rate_hz=RATE_HZ,
    summary={
        "captured": 3600, "shown": {"annotated": 2910, "plain": 690}, "dropped": {}, "out_of_order": 0,
        "frame_age_s": {"p50": 0.2, "p99": 0.8}, "reads": 12,
    },
    samples=SAMPLES,
    gap=Gap(40.0, 60.0),
    shut_at=SAMPLES[79],
    opened_at=SAMPLES[119],
    score=Score(12, 11, 3, 3, (), 0, (), 4.2, 0),
    recorded=Recorded(2, 2, 119.9),
    wall_s=121.0,
)  # fmt: skip


def missed(outcome: Outcome) -> set[str]:
    return {f.name for f in figures(outcome) if f.reached is False}


def test_a_good_drive_reaches_everything(tmp_path: Path) -> None:
    assert missed(GOOD) == set()
    values = {f.name: f.value for f in figures(GOOD)}
    assert values["results back after the gap"] == "3.0 s"
    assert values["device process, of one core"].startswith("40%")
    assert values["plates of the gap read afterwards"] == "3 of 3"
    found = write_report(GOOD, tmp_path)
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [f["name"] for f in data["figures"]] == [f.name for f in found]
    assert "plates of the gap read afterwards" in (tmp_path / "report.txt").read_text("utf-8")
    assert len(json.loads((tmp_path / "samples.json").read_text("utf-8"))) == len(SAMPLES)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (
            {"summary": GOOD.summary | {"shown": {"annotated": 3599}, "dropped": {"late": 1}, "out_of_order": 2}},
            {"frames shown", "frames dropped", "out of order"},
        ),
        ({"opened_at": replace(SAMPLES[119], dropped=3)}, {"frames lost in the gap"}),
        ({"opened_at": SAMPLES[99]}, {"results back after the gap"}),
        ({"opened_at": None}, {"gap"}),
        ({"score": Score(12, 11, 3, 2, ("AA11AAA at 45 s",), 0, (), 40.0, 1)},
         {"plates of the gap read afterwards", "farthest from the route", "reads without a place"}),
        ({"score": Score(12, 11, 0, 0, (), 0, (), None, 0)}, {"plates of the gap read afterwards"}),
        ({"recorded": Recorded(2, 1, 60.0)}, {"segments that play", "recorded"}),
        ({"recorded": Recorded(0, 0, 0.0)}, {"segments that play", "recorded"}),
        ({"samples": tuple(replace(s, cpu_s=0.7 * s.at_s, resident_mib=320.0) for s in SAMPLES)},
         {"device process, of one core", "device process, resident at most"}),
    ],
)  # fmt: skip
def test_what_is_missed_is_said(changes: dict[str, object], names: set[str]) -> None:
    assert missed(replace(GOOD, **changes)) == names  # type: ignore[arg-type]


def test_the_plot_shows_rates(tmp_path: Path) -> None:
    minutes, rates = shown_rates(SAMPLES, "plain")
    assert max(rates) == pytest.approx(30.0)
    assert rates[0] == 0.0
    assert minutes[-1] == pytest.approx(2.0, abs=0.1)
    pytest.importorskip("matplotlib")
    plot(SAMPLES, (40.0, 60.0), tmp_path / "report.svg")
    assert "<svg" in (tmp_path / "report.svg").read_text("utf-8")


def test_an_earlier_drive_makes_room(tmp_path: Path) -> None:
    for name in ("reads.db", "reads.db-wal", "recordings/a.mp4", "films/seed7/drive.mp4", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    prepare(tmp_path)
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {"drive.mp4", "notes.txt"}


@pytest.mark.parametrize("words", [["--gap", "60:70", "--minutes", "1"], ["--gap", "x"], ["--minutes", "-1"]])
def test_a_wrong_call(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "gap" in capsys.readouterr().err


@pytest.mark.skipif("DASHCAM_LONG_TESTS" not in os.environ, reason="takes minutes: set DASHCAM_LONG_TESTS=1")
@pytest.mark.timeout(1200)
def test_a_drive_of_a_minute(tmp_path: Path) -> None:
    main(["--minutes", "1", "--gap", "24:36", "--seeds", "7", "8", "--scene-seconds", "15", "--report", str(tmp_path)])
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    reached = {f["name"]: f["reached"] for f in data["figures"]}
    for name in ("frames shown", "frames dropped", "out of order", "frames lost in the gap", "segments that play"):
        assert reached[name], data["figures"]
    assert data["score"]["read_right"] > 0
    assert (tmp_path / "report.svg").is_file()
