"""What all faults have in common: when they act, on how many requests, and where they can take hold."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import BaseModel, ConfigDict, Field

from tools.faults.proxy.exchange import Exchange


class Effect:
    """What a fault does to the requests that it was chosen for; one object for all of them, in one event loop.

    Each method may wait, and may raise `CutError` or `InsteadError`.
    """

    async def before(self, exchange: Exchange) -> None:
        """The head of a request has come; nothing of it has been passed on."""

    async def request_piece(self, exchange: Exchange, data: bytes) -> bytes:
        """A piece of the request's body, as it is to be passed on."""
        return data

    async def answer_head(self, exchange: Exchange) -> None:
        """The head of the answer has come; nothing of it has been passed on."""

    async def answer_piece(self, exchange: Exchange, data: bytes) -> bytes:
        """A piece of the answer's body, as it is to be passed on."""
        return data

    async def answered(self, exchange: Exchange) -> None:
        """The whole body of the answer has been passed on; its end has not been told."""


class Fault(BaseModel):
    """A line of the schedule; each kind adds its own keys. Seconds count from the start, or from a repetition's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_s: float = Field(default=0, ge=0, description="second at which it begins")
    to_s: float | None = Field(default=None, gt=0, description="second at which it ends; none: it goes on")
    share: float = Field(default=1, gt=0, le=1, description="share of the requests that it meets, by chance")

    @abstractmethod
    def effect(self) -> Effect:
        """What it does, for one run of the proxy."""

    @abstractmethod
    def told(self) -> str:
        """What it does, in words."""

    def acts(self, at_s: float) -> bool:
        """Whether it is its time."""
        return self.from_s <= at_s and (self.to_s is None or at_s < self.to_s)
