from __future__ import annotations

from pathlib import Path

import pytest

from edge_client.config import ApiSettings
from edge_client.doctor.finding import Verdict
from edge_client.doctor.network import way_out
from tests.edge_client.doctor.trees import machine

NET = "/sys/class/net"


@pytest.mark.parametrize(
    ("files", "verdict", "told"),
    [
        ({f"{NET}/wwan0/operstate": "unknown"}, Verdict.OK, "wwan0"),
        ({f"{NET}/wwan0/operstate": "up", f"{NET}/wwan0/carrier": "1"}, Verdict.OK, "up"),
        ({f"{NET}/wwan0/operstate": "down"}, Verdict.WRONG, "wwan0 is down"),
        ({f"{NET}/wwan0/operstate": "unknown", f"{NET}/wwan0/carrier": "0"}, Verdict.WRONG, "wwan0"),
        ({f"{NET}/eth0/operstate": "up", f"{NET}/lo/operstate": "unknown"}, Verdict.WRONG, "there are: eth0"),
        ({}, Verdict.WRONG, "there are: none"),
    ],
)
def test_the_interface(tmp_path: Path, files: dict[str, str], verdict: Verdict, told: str) -> None:
    finding = way_out(ApiSettings(interface="wwan0"), machine(tmp_path, files))
    assert finding.verdict is verdict
    assert told in finding.found
    assert bool(finding.advice) == (verdict is not Verdict.OK)


def test_the_address(tmp_path: Path) -> None:
    here = machine(tmp_path, {})
    assert way_out(ApiSettings(source_address="127.0.0.1"), here).verdict is Verdict.OK
    assert way_out(ApiSettings(source_address="192.0.2.7"), here).verdict is Verdict.WRONG
    assert way_out(ApiSettings(), here).verdict is Verdict.OK
