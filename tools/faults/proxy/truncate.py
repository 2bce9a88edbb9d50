"""Answers that end too soon."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import CutError, Exchange
from tools.faults.proxy.fault import Effect, Fault


class Truncate(Fault):
    """The connection is closed in order, after a part of the body that the answer's head had promised."""

    fault: Literal["truncate"]
    keep: float = Field(default=0.5, ge=0, lt=1, description="share of the body that is passed on")

    def effect(self) -> Effect:
        """Cuts."""
        return _Cuts(self.keep)

    def told(self) -> str:
        """How much is left."""
        return f"answers end after {100 * self.keep:g} % of the body"


class _Cuts(Effect):
    def __init__(self, keep: float) -> None:
        self._keep = keep

    async def answer_piece(self, exchange: Exchange, data: bytes) -> bytes:
        length = exchange.answer_bytes if exchange.answer_bytes is not None else len(data)
        left = int(self._keep * length) - exchange.passed_bytes
        if len(data) > left:
            raise CutError(data[: max(left, 0)])
        return data
