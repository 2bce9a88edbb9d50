"""Requests take longer."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import Exchange
from tools.faults.proxy.fault import Effect, Fault


class Latency(Fault):
    """Each request waits before it is passed on."""

    fault: Literal["latency"]
    delay_s: float = Field(ge=0, le=3600, description="how much later a request is passed on, seconds")
    jitter_s: float = Field(default=0, ge=0, le=3600, description="as much more or less at most, by chance")

    def effect(self) -> Effect:
        """Waits."""
        return _Waits(self)

    def told(self) -> str:
        """The delay."""
        return f"{self.delay_s:g} s later" + (f", {self.jitter_s:g} s more or less" if self.jitter_s else "")


class _Waits(Effect):
    def __init__(self, fault: Latency) -> None:
        self._fault = fault

    async def before(self, exchange: Exchange) -> None:
        jitter_s = exchange.chance.uniform(-1.0, 1.0) * self._fault.jitter_s
        await asyncio.sleep(max(self._fault.delay_s + jitter_s, 0.0))
