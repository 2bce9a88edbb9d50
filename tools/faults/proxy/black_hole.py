"""A network that swallows all and says nothing."""

from __future__ import annotations

from typing import Literal

from tools.faults.proxy.exchange import CutError, Exchange
from tools.faults.proxy.fault import Effect, Fault


class BlackHole(Fault):
    """Requests disappear: the server gets nothing, the client hears nothing, until it gives up."""

    fault: Literal["black_hole"]

    def effect(self) -> Effect:
        """Swallows."""
        return _Swallows()

    def told(self) -> str:
        """In words."""
        return "requests disappear"


class _Swallows(Effect):
    async def before(self, exchange: Exchange) -> None:
        await exchange.hold(None)
        raise CutError
