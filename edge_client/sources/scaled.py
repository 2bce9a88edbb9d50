"""Resizes each frame of another source."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np

from edge_client.sources.device import TimedSource
from edge_client.sources.encoded import EncodedStream, EncodedVideo
from edge_client.types import FrameSource, Image, SourceStatus


class ScaledSource:
    """Another source whose frames are resized by a factor as they come."""

    def __init__(self, source: FrameSource, factor: float) -> None:
        self._source = source
        self._factor = factor

    @property
    def frame_rate_hz(self) -> float:
        """As the other source states it."""
        return self._source.frame_rate_hz

    @property
    def frame_count(self) -> int | None:
        """As the other source states it."""
        return self._source.frame_count

    @property
    def live(self) -> bool:
        """As the other source states it."""
        return self._source.live

    def __iter__(self) -> Iterator[Image]:
        how = cv2.INTER_AREA if self._factor < 1 else cv2.INTER_LINEAR
        for image in self._source:
            height, width = image.shape[:2]
            size = (max(round(width * self._factor), 1), max(round(height * self._factor), 1))
            yield np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)

    def status(self) -> SourceStatus:
        """Where the source stands."""
        return self._source.status()

    @property
    def picture_monotonic_s(self) -> float:
        """As the other source knows it."""
        source = self._source
        return source.picture_monotonic_s if isinstance(source, TimedSource) else time.monotonic()

    def encoded(self) -> EncodedStream | None:
        """The other source's packets, in their own size."""
        return self._source.encoded() if isinstance(self._source, EncodedVideo) else None

    def close(self) -> None:
        """Close the other source."""
        self._source.close()
