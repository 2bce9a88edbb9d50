"""Reading request bodies within bounds of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request

from cloud_apis.contract import MAX_BYTES
from cloud_apis.errors import ApiError, bad_body, too_large, wrong_type
from cloud_apis.web.refusal import DRAIN_BYTES

# Base64 takes four bytes for three; the rest is room for the JSON around it.
MAX_JSON_BYTES = MAX_BYTES * 4 // 3 + 64 * 1024
# Room for the part headers of a multipart body around MAX_BYTES of crops.
MAX_MULTIPART_BYTES = MAX_BYTES + 64 * 1024
Look = Callable[[bytes], None]
"""Sees the pieces of a body as they come; raises `ApiError` as soon as they show that it is to be refused."""


async def read_body(request: Request, limit: int, timeout_s: float, look: Look | None = None) -> bytes:
    """The whole body, at most `limit` bytes of it, whatever its headers claim.

    Raises `ApiError`: 413 when it is larger, 415 when it is packed, 408 when it does not arrive in time, 400 when it
    breaks off, and what ``look`` finds; each as soon as it shows.
    """
    packing = request.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("", "identity"):
        raise _early(wrong_type("send the body as it is, without Content-Encoding"))
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request, limit, look)
    except TimeoutError:
        message = f"the body did not arrive within {timeout_s:g} s"
        raise ApiError(408, "too_slow", message, {"Connection": "close"}) from None


async def _read(request: Request, limit: int, look: Look | None) -> bytes:
    declared = request.headers.get("content-length", "")
    announced = int(declared) if declared.isascii() and declared.isdecimal() and len(declared) < 20 else 0
    error = too_large(f"the body is larger than {limit} bytes")
    if announced > limit + DRAIN_BYTES:  # nobody sends all that only to read the answer
        raise ApiError(error.status, error.code, error.message, {"Connection": "close"})
    if announced > limit:
        raise _early(error)
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise bad_body("the connection broke off within the body")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        try:
            if size > limit:
                raise error
            if look is not None:
                look(chunk)
        except ApiError as refused:
            raise (_early(refused) if more else refused) from None
        chunks.append(chunk)
    return b"".join(chunks)


def _early(error: ApiError) -> ApiError:
    error.early = True
    return error
