"""Reading request bodies within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from cloud_apis.contract import MAX_BYTES
from cloud_apis.errors import ApiError, bad_body, too_large

# Base64 takes four bytes for three; the rest is room for the JSON around it.
MAX_JSON_BYTES = MAX_BYTES * 4 // 3 + 64 * 1024
# Room for the part headers of a multipart body around MAX_BYTES of crops.
MAX_MULTIPART_BYTES = MAX_BYTES + 64 * 1024
# So much of a body that is too large is still read and thrown away, so that the client, busy sending, gets to
# read the answer; beyond it the connection is closed on it.
_DRAIN_BYTES = 16 * 2**20


async def read_body(request: Request, limit: int, timeout_s: float) -> bytes:
    """The whole body, at most `limit` bytes of it, whatever its headers claim.

    Raises `ApiError`: 413 when it is larger, 408 when it does not arrive in time, 400 when it breaks off.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request, limit)
    except TimeoutError:
        message = f"the body did not arrive within {timeout_s:g} s"
        raise ApiError(408, "too_slow", message, {"Connection": "close"}) from None
    except ClientDisconnect:
        raise bad_body("the connection broke off within the body") from None


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    announced = int(declared) if declared.isdecimal() else 0
    error = too_large(f"the body is larger than {limit} bytes")
    if announced > limit + _DRAIN_BYTES:
        raise _closing(error)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + _DRAIN_BYTES:
            raise _closing(error)
        if max(size, announced) > limit:
            chunks.clear()
        else:
            chunks.append(chunk)
    if size > limit:
        raise error
    return b"".join(chunks)


def _closing(error: ApiError) -> ApiError:
    return ApiError(error.status, error.code, error.message, {"Connection": "close"})
