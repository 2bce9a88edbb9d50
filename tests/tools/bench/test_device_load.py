"""The load of the device process: its figures, and the APIs that answer at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests

from cloud_apis.contract import parse_crnn_answer, parse_yolov3_answer
from tools.bench.device import DashcamRun
from tools.bench.device_load import Load, figures, watch
from tools.bench.instant_apis import GAP_S, PASSING_S, instant_apis, plate_at


def run(captured: int, wall_s: float) -> DashcamRun:
    return DashcamRun({"captured": captured, "shown": {"annotated": captured - 2}}, wall_s, 0.0)


def test_what_came_before_warming_up_does_not_count() -> None:
    samples = [Load(t, 50.0 + t * 0.4 if t >= 10 else t * 5.4, 100.0 + (20 if t < 10 else 0)) for t in range(1, 71)]
    load = figures(samples, 10.0, run(captured=2130, wall_s=71.0))
    assert load.core_share == pytest.approx(0.4)
    assert load.most_mib == 100.0
    assert load.slope_mib_per_minute == pytest.approx(0.0)
    assert (load.captured, load.lost) == (2130, 2)


def test_a_film_played_too_slowly_does_not_look_cheap() -> None:
    samples = [Load(float(t), t * 0.2, 100.0) for t in range(1, 101)]
    load = figures(samples, 10.0, run(captured=1500, wall_s=100.0))
    assert load.pace == pytest.approx(0.5)
    assert load.core_share == pytest.approx(0.4)


def test_growing_memory_has_a_slope() -> None:
    samples = [Load(float(t), t * 0.2, 100.0 + t / 6) for t in range(1, 121)]
    assert figures(samples, 10.0, run(3600, 120.0)).slope_mib_per_minute == pytest.approx(10.0)


def test_too_short_a_run_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="too short"):
        figures([Load(1.0, 1.0, 1.0)], 10.0, run(10, 1.0))


def test_a_process_is_watched_to_its_end() -> None:
    code = "import time\nt = time.time()\nwhile time.time() - t < 0.6: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        samples = watch(process, 0.1)
    assert samples
    assert samples[-1].cpu_s > 0
    assert samples[-1].resident_mib > 1


def test_plates_pass_by_one_after_the_other() -> None:
    first, gap, second = plate_at(1.0), plate_at(PASSING_S + GAP_S / 2), plate_at(PASSING_S + GAP_S + 1.0)
    assert gap is None
    assert first is not None
    assert second is not None
    assert first[0] != second[0]


def test_the_instant_apis_keep_the_contract() -> None:
    with instant_apis() as port, requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{port}"
        for _ in range(3):  # over one connection
            boxes = parse_yolov3_answer(session.post(f"{url}/yolov3", data=b"picture", timeout=10).json())
            assert len(boxes) <= 1
        parts = [("imgs", (f"{n}.jpg", b"crop", "image/jpeg")) for n in range(2)]
        words = parse_crnn_answer(session.post(f"{url}/crnn", files=parts, timeout=10).json(), 2)
        assert [len(w) for w in words] == [1, 1]
