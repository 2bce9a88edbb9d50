"""The unit as systemd itself sees it, where its tools are there."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_client.errors import ConfigError
from edge_client.service.unit import ServiceSettings, service_unit

PYTHON = Path(sys.executable)
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")


def settings(**changes: object) -> ServiceSettings:
    given: dict[str, object] = {"source": "/dev/video0", "python": PYTHON, "config": Path("/etc/dashcam/edge.yaml")}
    return ServiceSettings(**{**given, **changes})  # type: ignore[arg-type]


def lines(text: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_it_starts_before_the_network_and_again_after_a_fault() -> None:
    text = service_unit(settings(starts=7, starts_period_s=90))
    assert "network" not in " ".join(lines(text, "After") + lines(text, "Wants") + lines(text, "Requires"))
    assert lines(text, "Restart") == ["on-failure"]
    assert (lines(text, "StartLimitBurst"), lines(text, "StartLimitIntervalSec")) == (["7"], ["90"])
    assert lines(text, "Type") == ["notify"]
    assert lines(text, "WatchdogSec")
    assert lines(text, "WantedBy") == ["multi-user.target"]


def test_every_directive_stands_once_or_is_a_list() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    text = service_unit(settings())
    parser.read_string(text)
    assert parser.sections() == ["Unit", "Service", "Install"]
    repeated = {line.partition("=")[0] for line in text.splitlines() if text.count(f"\n{line.partition('=')[0]}=") > 1}
    assert repeated == {"DeviceAllow", "Environment", "SystemCallFilter"}


def test_words_and_folders_are_quoted_as_systemd_reads_them() -> None:
    text = service_unit(settings(source="rtsp://me:50%$x@cam/a b", writable=(Path("/media/my disk"), Path("/srv/$x%"))))
    assert lines(text, "ExecStart")[0].endswith('-- "rtsp://me:50%%$$x@cam/a b"')
    assert lines(text, "ReadWritePaths") == ['"-/media/my disk"', "-/srv/$x%%"]


def test_a_missing_screen_cannot_end_the_drive() -> None:
    words = lines(service_unit(settings()), "ExecStart")[0].split()
    assert not {"--window", "--fullscreen"} & set(words)


@pytest.mark.parametrize(
    "changes",
    [
        {"python": Path("python3")},
        {"config": Path("edge.yaml")},
        {"writable": (Path("x"),)},
        {"source": "a\nUser=root"},
    ],
)
def test_what_cannot_stand_in_a_unit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        service_unit(settings(**changes))


def analyze(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    unit = tmp_path / "dashcam.service"
    unit.write_text(service_unit(settings(writable=(Path("/media/my disk"),))), "utf-8")
    done = analyze(tmp_path, "verify", "--man=no", str(unit))
    # An own device class that this kernel lacks, or other units' faults, are no fault of ours.
    told = [line for line in done.stderr.splitlines() if "dashcam.service" in line]
    assert (done.returncode, told) == (0, [])


@needs_systemd
def test_the_test_above_would_see_a_wrong_unit(tmp_path: Path) -> None:
    unit = tmp_path / "dashcam.service"
    unit.write_text(service_unit(settings()).replace("WatchdogSec=30", "WatchdogSec=soon"), "utf-8")
    told = analyze(tmp_path, "verify", "--man=no", str(unit)).stderr
    assert [line for line in told.splitlines() if "dashcam.service" in line and "soon" in line]


@needs_systemd
def test_systemd_rates_its_exposure_as_ok(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    unit = tmp_path / "dashcam.service"
    unit.write_text(service_unit(settings()), "utf-8")
    done = analyze(tmp_path, "security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"Overall exposure level for dashcam.service: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    record_property("systemd_exposure", found[1])
    print(f"systemd-analyze security: {found[1]} of 10")
    assert float(found[1]) <= 2.5
