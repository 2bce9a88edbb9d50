"""Connections that are reset."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import CutError, Exchange
from tools.faults.proxy.fault import Effect, Fault


class Reset(Fault):
    """The connection is reset (RST): while the request comes, or in the middle of the answer."""

    fault: Literal["reset"]
    during: Literal["request", "answer"] = Field(default="request", description="when: request or answer")

    def effect(self) -> Effect:
        """Breaks off."""
        return _AtRequest() if self.during == "request" else _AmidAnswer()

    def told(self) -> str:
        """When."""
        return f"the connection is reset during the {self.during}"


class _AtRequest(Effect):
    async def before(self, exchange: Exchange) -> None:
        raise CutError(reset=True)


class _AmidAnswer(Effect):
    async def answer_piece(self, exchange: Exchange, data: bytes) -> bytes:
        raise CutError(data[: len(data) // 2], reset=True)
