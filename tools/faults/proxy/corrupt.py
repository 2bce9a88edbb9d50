"""Bytes that change on the way."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import Exchange
from tools.faults.proxy.fault import Effect, Fault


class Corrupt(Fault):
    """Bytes of a body are replaced by others, in its first 64 KiB; its length stays."""

    fault: Literal["corrupt"]
    of: Literal["answer", "request"] = Field(default="answer", description="whose body: answer or request")
    count: int = Field(default=1, ge=1, le=65536, description="how many bytes, at places of chance")

    def effect(self) -> Effect:
        """Replaces."""
        return _OfAnswer(self.count) if self.of == "answer" else _OfRequest(self.count)

    def told(self) -> str:
        """How many."""
        return f"{self.count} wrong byte{'s' if self.count > 1 else ''} in the {self.of}'s body"


class _OfAnswer(Effect):
    def __init__(self, count: int) -> None:
        self._count = count

    async def answer_piece(self, exchange: Exchange, data: bytes) -> bytes:
        return data if exchange.passed_bytes else _corrupted(data, self._count, exchange)


class _OfRequest(Effect):
    def __init__(self, count: int) -> None:
        self._count = count

    async def request_piece(self, exchange: Exchange, data: bytes) -> bytes:
        return data if exchange.sent_bytes else _corrupted(data, self._count, exchange)


def _corrupted(data: bytes, count: int, exchange: Exchange) -> bytes:
    changed = bytearray(data)
    for place in exchange.chance.sample(range(len(data)), min(count, len(data))):
        changed[place] ^= exchange.chance.randrange(1, 256)
    return bytes(changed)
