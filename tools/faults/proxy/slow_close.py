"""Answers whose end is told by the end of the connection, which is long in coming."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import Exchange
from tools.faults.proxy.fault import Effect, Fault


class SlowClose(Fault):
    """The answer comes at once, without its length, and the connection is closed later."""

    fault: Literal["slow_close"]
    close_s: float = Field(gt=0, le=3600, description="seconds from the answer's last byte to the connection's end")

    def effect(self) -> Effect:
        """Closes late."""
        return _ClosesLate(self.close_s)

    def told(self) -> str:
        """How late."""
        return f"answers without a length, closed {self.close_s:g} s later"


class _ClosesLate(Effect):
    def __init__(self, close_s: float) -> None:
        self._close_s = close_s

    async def answer_head(self, exchange: Exchange) -> None:
        exchange.until_close = True

    async def answered(self, exchange: Exchange) -> None:
        await asyncio.sleep(self._close_s)
