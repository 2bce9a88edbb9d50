"""One request and its answer on their way through the proxy, and how a fault ends them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass

CHUNK_BYTES = 65536


class CutError(Exception):
    """The connection ends here: after these last bytes of the answer, with a reset or in order."""

    def __init__(self, last: bytes = b"", *, reset: bool = False) -> None:
        super().__init__("cut")
        self.last = last
        self.reset = reset


class InsteadError(Exception):
    """The proxy answers in the server's place."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.headers = headers
        self.body = body


@dataclass(slots=True, eq=False)
class Exchange:
    """What faults know of a request and its answer; ``chance`` is its own, so that the same seed gives the same.

    Attributes:
        number: of the request, from 0, in the order in which requests came to the proxy.
        sent_bytes: of the request's body that have been passed on.
        answer_bytes: of the answer's body as its head states them, None while or where nothing does.
        passed_bytes: of the answer's body that have been passed on.
        until_close: whether the end of the answer is told by the end of the connection alone.
    """

    number: int
    client: asyncio.StreamReader
    chance: random.Random
    sent_bytes: int = 0
    answer_bytes: int | None = None
    passed_bytes: int = 0
    until_close: bool = False

    async def hold(self, hold_s: float | None) -> None:
        """Let nothing pass for so long, without a time until the client leaves; what it sends is swallowed."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(hold_s):
                while await self.client.read(CHUNK_BYTES):
                    pass
