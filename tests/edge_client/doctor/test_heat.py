from __future__ import annotations

from pathlib import Path

import pytest

from edge_client.doctor import heat
from edge_client.doctor.finding import Verdict
from tests.edge_client.doctor.trees import machine

PI = {"/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0"}
ASK = "vcgencmd get_throttled"


@pytest.mark.parametrize(("millidegrees", "verdict"), [(45000, "ok"), (72000, "note"), (84500, "wrong")])
def test_the_hottest_zone_counts(tmp_path: Path, millidegrees: int, verdict: str) -> None:
    zones = {
        "/sys/class/thermal/thermal_zone0/temp": "31000\n",
        "/sys/class/thermal/thermal_zone0/type": "acpitz\n",
        "/sys/class/thermal/thermal_zone1/temp": f"{millidegrees}\n",
        "/sys/class/thermal/thermal_zone1/type": "cpu-thermal\n",
        "/sys/class/thermal/thermal_zone2/temp": "-274000\n",  # a sensor that is not there
        "/sys/class/thermal/thermal_zone3/temp": "nonsense\n",
    }
    finding = heat.temperature(machine(tmp_path, zones))
    assert finding.verdict == verdict
    assert f"{millidegrees / 1000:.0f} °C (cpu-thermal)" in finding.found
    assert bool(finding.advice) == (verdict != "ok")


def test_no_zone_is_no_fault(tmp_path: Path) -> None:
    assert heat.temperature(machine(tmp_path, {})).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("answer", "verdict", "told", "advice"),
    [
        ("throttled=0x0\n", Verdict.OK, "never", ""),
        ("throttled=0x50000\n", Verdict.NOTE, "since the start: too little voltage, throttled", "supply"),
        ("throttled=0x50005\n", Verdict.WRONG, "now: too little voltage, throttled", "supply"),
        ("throttled=0x80008\n", Verdict.WRONG, "now: near the temperature limit", "fan"),
        ("throttled=0x20000\n", Verdict.NOTE, "since the start: clock capped", "fan"),
        ("VCHI initialization failed\n", Verdict.NOTE, "does not answer", "raspi-utils"),
    ],
)
def test_throttling_is_told_in_words(tmp_path: Path, answer: str, verdict: Verdict, told: str, advice: str) -> None:
    finding = heat.throttling(machine(tmp_path, PI, {ASK: answer}))
    assert finding is not None
    assert finding.verdict is verdict
    assert told in finding.found
    assert advice in finding.advice


def test_other_machines_are_not_asked(tmp_path: Path) -> None:
    assert heat.throttling(machine(tmp_path, {}, {ASK: "throttled=0x50005"})) is None


@pytest.mark.parametrize(("answer", "bits"), [("throttled=0x0", 0), ("throttled=0xE0008\n", 0xE0008), ("", None)])
def test_bits(answer: str, bits: int | None) -> None:
    assert heat.throttled_bits(answer) == bits
