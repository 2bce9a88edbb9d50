"""Opens the source of positions that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from edge_client.config import PositionSettings
from edge_client.positions.replay import NmeaReplay, NoPosition
from edge_client.types import Fix, PositionSource


def open_positions(settings: PositionSettings, on_fix: Callable[[Fix], None]) -> PositionSource:
    """The source of positions, begun; ``on_fix`` gets each fix of a receiver as it comes, from its thread.

    Raises `PositionError` when a log cannot be read. A receiver that is not there is waited for.
    """
    if settings.nmea_log is not None:
        return NmeaReplay(settings.nmea_log, settings.max_age_s)
    return NoPosition()
