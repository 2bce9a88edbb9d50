"""Storms of refusals."""

from __future__ import annotations

import http
import json
from typing import Literal

from pydantic import Field

from tools.faults.proxy.exchange import Exchange, InsteadError
from tools.faults.proxy.fault import Effect, Fault


class Status(Fault):
    """The proxy refuses requests itself, with an error as the APIs have them."""

    fault: Literal["status"]
    code: Literal[429, 500, 502, 503, 504] = Field(description="the status: 429, 500, 502, 503 or 504")
    retry_after_s: int | None = Field(default=None, ge=0, le=3600, description="states Retry-After: these seconds")

    def effect(self) -> Effect:
        """Refuses."""
        return _Refuses(self)

    def told(self) -> str:
        """With what."""
        return f"answers {self.code}" + (f" with Retry-After: {self.retry_after_s}" if self.retry_after_s else "")


class _Refuses(Effect):
    def __init__(self, fault: Status) -> None:
        message = http.HTTPStatus(fault.code).phrase
        self._code = fault.code
        self._body = json.dumps({"error": {"code": fault.code, "message": message}}).encode()
        self._headers = {"Content-Type": "application/json"}
        if fault.retry_after_s is not None:
            self._headers["Retry-After"] = str(fault.retry_after_s)

    async def before(self, exchange: Exchange) -> None:
        raise InsteadError(self._code, self._headers, self._body)
