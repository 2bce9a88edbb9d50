"""Where the prediction APIs are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from cloud_apis.contract import CRNN_PATH, YOLOV3_PATH
from cloud_apis.contract.vehicles import REPORT_PATH

STARTING: Final = "the plate APIs on this device are starting"
"""What `ApiUnreachableError` says until they are ready for the first time."""


class Endpoints(Protocol):
    """Where to send requests; embedded APIs may move to another port when they are started again."""

    def yolov3_url(self) -> str:
        """URL of the detector; raises `ApiUnreachableError` while there is none."""

    def crnn_url(self) -> str:
        """URL of the reader; raises `ApiUnreachableError` while there is none."""

    def report_url(self) -> str:
        """URL of the vehicle report; raises `ApiUnreachableError` while there is none."""

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have it told each time they can be reached anew; ``listener`` must not block."""

    def release(self) -> None:
        """Nothing will be asked any more; returns at once."""


@dataclass(frozen=True, slots=True)
class FixedEndpoints:
    """Endpoints as configured: full URLs, or only the server's, whose usual paths are added.

    The vehicle report is beside the detector where it has no URL of its own.
    """

    yolov3: str
    crnn: str
    report: str | None = None

    def yolov3_url(self) -> str:
        """URL of the detector."""
        return with_path(self.yolov3, YOLOV3_PATH)

    def crnn_url(self) -> str:
        """URL of the reader."""
        return with_path(self.crnn, CRNN_PATH)

    def report_url(self) -> str:
        """URL of the vehicle report."""
        if self.report is not None:
            return with_path(self.report, REPORT_PATH)
        return self.yolov3_url().removesuffix("/").removesuffix(YOLOV3_PATH) + REPORT_PATH

    def subscribe(self, listener: Callable[[], None]) -> None:
        """They stay where they are."""

    def release(self) -> None:
        """Others may still need them."""


def with_path(url: str, path: str) -> str:
    """The URL, with the path added where it names only a server."""
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + path
