"""A narrow road, which all requests share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.bench.delay_proxy import PIECE, Road
from tools.faults.proxy.exchange import Exchange
from tools.faults.proxy.fault import Effect, Fault


class Bandwidth(Fault):
    """So many bits a second each way, for all requests together."""

    fault: Literal["bandwidth"]
    rate_bps: float = Field(ge=1000, description="bits a second, each way, for all requests together")

    def effect(self) -> Effect:
        """Lets bodies pass piece by piece."""
        return _Narrow(self.rate_bps)

    def told(self) -> str:
        """The rate."""
        return f"{self.rate_bps / 1e6:g} Mbit/s each way"


class _Narrow(Effect):
    def __init__(self, rate_bps: float) -> None:
        self._there = Road(0.0, rate_bps)
        self._back = Road(0.0, rate_bps)

    async def request_piece(self, exchange: Exchange, data: bytes) -> bytes:
        return await _passed(self._there, data)

    async def answer_piece(self, exchange: Exchange, data: bytes) -> bytes:
        return await _passed(self._back, data)


async def _passed(road: Road, data: bytes) -> bytes:
    for at in range(0, len(data), PIECE):
        await road.enter(min(PIECE, len(data) - at))
    return data
