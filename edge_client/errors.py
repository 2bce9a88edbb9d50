"""What can go wrong in the dashcam, as one small tree.

DashcamError
├── ConfigError      wrong settings or arguments: the command exits with 2
├── SourceError      pictures cannot be had: missing, empty, no such device
├── PositionError    the position log cannot be read
├── ApiError         a prediction API failed
│   ├── ApiUnreachableError   no connection or a dropped connection
│   ├── ApiTimeoutError       no answer in time
│   ├── ApiOverloadedError    503: the API asks to come back later
│   ├── ApiRefusedError       another status than 200
│   ├── ApiNotOfferedError    404 of an API that need not be there
│   ├── ApiGarbageError       an answer that breaks the contract
│   └── ApiPausedError        not asked: the API failed often and is left alone for a moment
├── EmbeddedApiError the APIs could not be started as a child process
├── DisplayError     a display cannot go on
├── SpoolError       evidence cannot be kept for later
├── StoreError       reads could not be written
└── RecordingError   a recording is unknown, or cannot be read or changed

Each message is one line that says what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_client.types import Summary


class DashcamError(Exception):
    """Root of the tree; ``exit_code`` is what the command exits with.

    ``summary`` holds the counters when the error ended a drive that had begun.
    """

    exit_code = 1
    summary: Summary | None = None


class ConfigError(DashcamError):
    """Settings or arguments are wrong."""

    exit_code = 2


class SourceError(DashcamError):
    """Pictures cannot be had from the source."""


class PositionError(DashcamError):
    """The position log cannot be read."""


class ApiError(DashcamError):
    """A prediction API failed."""


class ApiUnreachableError(ApiError):
    """No connection, or a dropped connection."""


class ApiTimeoutError(ApiError):
    """No answer in time."""


class ApiOverloadedError(ApiError):
    """The API answered 503 or 429; ``retry_after_s`` is its wish, if it stated one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ApiRefusedError(ApiError):
    """The API answered with another status than 200; ``status`` is that, 0 where it does not matter."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ApiNotOfferedError(ApiError):
    """The server does not offer this API: nothing is asked of it again in this drive."""


class ApiGarbageError(ApiError):
    """The API's answer breaks the contract."""


class ApiPausedError(ApiError):
    """The API was not asked: it failed often and is left alone for a moment."""


class EmbeddedApiError(DashcamError):
    """The APIs could not be started as a child process."""


class DisplayError(DashcamError):
    """A display cannot go on."""


class SpoolError(DashcamError):
    """Evidence cannot be kept for later."""


class StoreError(DashcamError):
    """Reads could not be written."""


class RecordingError(DashcamError):
    """A recording of the original video is unknown, or cannot be read or changed."""
