"""Opens the source of positions that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from edge_client.config import PositionSettings
from edge_client.positions.gpsd import Gpsd
from edge_client.positions.history import FixHistory
from edge_client.positions.receiver import Link, Receiver
from edge_client.positions.replay import NmeaReplay, NoPosition
from edge_client.positions.serial_line import Activation, SerialLine
from edge_client.types import Fix, PositionSource


def open_positions(settings: PositionSettings, on_fix: Callable[[Fix], None] = lambda fix: None) -> PositionSource:
    """The source of positions, begun; ``on_fix`` gets each new fix of a receiver as it comes, from its thread.

    Raises `PositionError` when a log cannot be read. A receiver that is not there is waited for.
    """
    if settings.nmea_log is not None:
        return NmeaReplay(settings.nmea_log, settings.max_age_s, settings.carry_on_s, settings.max_speed_mps)
    if settings.source == "off":
        return NoPosition()
    history = FixHistory(settings.max_age_s, settings.carry_on_s, settings.max_speed_mps)
    return Receiver(_link(settings), history, settings.max_age_s, on_fix)


def _link(settings: PositionSettings) -> Link:
    if settings.source == "gpsd":
        return Gpsd(settings.gpsd_host, settings.gpsd_port)
    activation = None
    if settings.activation_device is not None:
        activation = Activation(settings.activation_device, settings.activation_command)
    return SerialLine(settings.device, settings.baud, activation)
