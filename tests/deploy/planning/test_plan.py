from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import main
from deploy.planning.capacity import UTILISATION, Demand, Machine, Throughput, copies, plan
from deploy.planning.measure import measure
from deploy.planning.prices import load_prices

MACHINE = Machine("m", 4, 0.2)
HEAD = Machine("h", 2, 0.05)


def test_one_camera_fits_one_small_machine() -> None:
    found = plan(Demand(1, 30, 1), Throughput(100, 100), MACHINE, HEAD)
    assert (found.detector_copies, found.reader_copies, found.machines) == (1, 1, 1)
    assert found.usd_per_hour == 0.25  # with the head


def test_a_hundred_cameras() -> None:
    found = plan(Demand(100, 30, 2), Throughput(100, 50), MACHINE, HEAD)
    assert found.detector_copies == 43  # 3000 / 70
    assert found.reader_copies == 6  # 200 / 35
    assert found.machines == 13  # 49 cores
    assert found.usd_per_hour == pytest.approx(2.65)


@given(st.floats(0.1, 1e5), st.floats(0.1, 1e4))
def test_copies_serve_the_rate_and_none_is_too_many(rate: float, each: float) -> None:
    count = copies(rate, each)
    assert count * each * UTILISATION >= rate * (1 - 1e-9)
    assert count == 1 or (count - 1) * each * UTILISATION < rate


def test_this_machine_is_measured_with_the_real_models() -> None:
    found = measure(None, 0.5, cores=1)
    assert found.frames_hz > 1
    assert found.crops_hz > 1


def test_the_command_prints_a_table_and_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    given_rates = ["--frames-per-core", "90", "--crops-per-core", "80"]
    assert main(["plan", "--cameras", "100", "--fps", "30", *given_rates]) == 0
    told = capsys.readouterr().out
    assert "48 copies of yolov3 and 2 of crnn" in told
    assert "c7i.xlarge" in told and "12 to 20 GPU machines for one camera" in told
    assert main(["plan", "--cameras", "1", "--machine", "c7i.large", "--json", *given_rates]) == 0
    (only,) = json.loads(capsys.readouterr().out)["plans"]
    assert only["machines"] == 1 and only["head"] == "c7i.large"
    assert only["usd_per_hour"] == pytest.approx(2 * 0.08925)
    assert main(["plan", "--cameras", "1", "--machine", "c7i.large", "--head", "c7i.xlarge", *given_rates]) == 0
    told = capsys.readouterr().out
    assert "0.27" in told and "0.18 USD an hour for one c7i.xlarge, which runs the cluster itself" in told


def test_a_table_of_ones_own_needs_no_machine_of_the_shipped_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "machines.yaml"
    large = "  large: {cores: 8, memory_gb: 8, usd_per_hour: 4}"
    small = "  small: {cores: 2, memory_gb: 4, usd_per_hour: 1}"
    file.write_text("\n".join(["region: here", "noted: 2026-01-01", "machines:", large, small]))
    given_rates = ["--frames-per-core", "90", "--crops-per-core", "80"]
    assert main(["plan", "--cameras", "1", "--prices", str(file), "--json", *given_rates]) == 0
    plans = json.loads(capsys.readouterr().out)["plans"]
    assert [(one["machine"], one["head"], one["usd_per_hour"]) for one in plans] == [
        ("small", "small", 2.0),
        ("large", "small", 5.0),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--machine", "tpu"], "there is no price for 'tpu'"),
        (["--frames-per-core", "10"], "go together"),
        (["--prices", "/nowhere.yaml"], "cannot read the settings /nowhere.yaml"),
    ],
)
def test_wrong_wishes_are_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--cameras", "1", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_shipped_prices_are_sound(tmp_path: Path) -> None:
    table = load_prices()
    assert all(0.01 < entry.usd_per_hour < 10 for entry in table.machines.values())
