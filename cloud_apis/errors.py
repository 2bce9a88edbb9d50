"""What goes wrong in the prediction APIs, as the client sees it and as the operator sees it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class StartError(Exception):
    """The server cannot start: a wrong setting, a missing model, a port in use."""


class ApiError(Exception):
    """A request that is answered with an error: HTTP status, a code for programs and a message for people.

    ``early`` says that it is answered while the body is still coming.
    """

    early = False

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers or {}))


def not_an_image(message: str) -> ApiError:
    """400: the bytes are not a picture that can be decoded."""
    return ApiError(400, "not_an_image", message)


def bad_body(message: str) -> ApiError:
    """400: the body is broken before its meaning can be looked at."""
    return ApiError(400, "broken_body", message)


def wrong_shape(message: str) -> ApiError:
    """422: the body is well formed but not what was asked for."""
    return ApiError(422, "wrong_shape", message)


def too_large(message: str) -> ApiError:
    """413: more bytes, pixels or crops than are taken."""
    return ApiError(413, "too_large", message)


def wrong_type(message: str) -> ApiError:
    """415: a content type that is not taken."""
    return ApiError(415, "unsupported_type", message)


def busy(retry_after_s: int) -> ApiError:
    """503: the queue is full; the client may come back after the given time."""
    message = f"the queue is full; try again in {retry_after_s} s"
    return ApiError(503, "busy", message, {"Retry-After": str(retry_after_s)})


def unauthorised() -> ApiError:
    """401: no API key, or a wrong one. Which of the two is not told."""
    return ApiError(401, "unauthorised", "send a valid key in the header X-API-Key")
