from __future__ import annotations

import queue
from pathlib import Path

import pytest

from edge_client.config import EdgeSettings, PositionSettings
from edge_client.config_file import load_settings
from edge_client.errors import ConfigError, PositionError
from edge_client.positions.gpsd import Gpsd
from edge_client.positions.open import open_positions
from edge_client.positions.receiver import Receiver
from edge_client.positions.replay import NmeaReplay, NoPosition
from edge_client.positions.serial_line import SerialLine
from edge_client.types import Fix, GpsState
from tests.edge_client.positions.pty_port import Speaker, pty_port
from tests.edge_client.positions.sentences import rmc


def test_each_kind_of_source_is_opened(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    log.write_text(rmc("120000"))
    assert isinstance(open_positions(PositionSettings()), NoPosition)
    assert isinstance(open_positions(PositionSettings(nmea_log=log)), NmeaReplay)
    assert isinstance(open_positions(PositionSettings(source="log", nmea_log=log)), NmeaReplay)
    for settings, kind in (
        (PositionSettings(source="serial", device=str(tmp_path / "none")), SerialLine),
        (PositionSettings(source="gpsd", gpsd_port=1), Gpsd),
    ):
        receiver = open_positions(settings)
        assert isinstance(receiver, Receiver)
        assert isinstance(receiver._link, kind)
        assert receiver.status().state is GpsState.CONNECTING
        receiver.close()


def test_a_log_beside_a_recording_goes_before_the_cars_receiver(tmp_path: Path) -> None:
    log = tmp_path / "drive.nmea"
    log.write_text(rmc("120000"))
    assert isinstance(open_positions(PositionSettings(source="serial", nmea_log=log)), NmeaReplay)
    with pytest.raises(PositionError):
        open_positions(PositionSettings(nmea_log=tmp_path / "none"))


def test_a_serial_receiver_tells_its_fixes(tmp_path: Path) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    with pty_port(tmp_path / "gps") as port:
        receiver = open_positions(PositionSettings(source="serial", device=str(port.path)), told.put)
        with Speaker(lambda second: port.say(rmc(f"1200{second % 60:02}"))):
            assert told.get(timeout=20).latitude_deg == 45.5
        receiver.close()


def positions(tmp_path: Path, text: str) -> EdgeSettings:
    file = tmp_path / "edge.yaml"
    file.write_text(f"positions:\n  {text}\n")
    return load_settings(file)


@pytest.mark.parametrize("text", ["source: off", "source: 'off'", "max_age_s: 10"])
def test_off_may_be_written_bare(tmp_path: Path, text: str) -> None:
    assert positions(tmp_path, text).positions.source == "off"


@pytest.mark.parametrize(
    "text", ["source: on", "source: usb", "source: log", "baud: 0", "gpsd_port: 70000", "max_speed_mps: 0", "gps: 1"]
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="positions"):
        positions(tmp_path, text)
