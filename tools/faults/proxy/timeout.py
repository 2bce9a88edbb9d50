"""Answers that do not come in time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import CutError, Exchange
from tools.faults.proxy.fault import Effect, Fault


class Timeout(Fault):
    """The server gets the request and answers; the client does not get the answer, and then the connection ends."""

    fault: Literal["timeout"]
    hold_s: float | None = Field(
        default=None, gt=0, le=3600, description="how long the answer is held; none: until the client gives up"
    )

    def effect(self) -> Effect:
        """Holds the answer."""
        return _Holds(self.hold_s)

    def told(self) -> str:
        """How long."""
        return "no answer, ever" if self.hold_s is None else f"no answer for {self.hold_s:g} s, then the end"


class _Holds(Effect):
    def __init__(self, hold_s: float | None) -> None:
        self._hold_s = hold_s

    async def answer_head(self, exchange: Exchange) -> None:
        await exchange.hold(self._hold_s)
        raise CutError
