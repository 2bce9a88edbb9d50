"""The recording of the original video."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from edge_client.config.base import Seconds, Section


class RecordingSettings(Section):
    """The original video in segments, as a dashcam keeps it."""

    when: Literal["live", "always", "never"] = Field(
        default="live",
        description="live records cameras and streams but no files; always records these too; never nothing",
    )
    folder: Path | None = Field(
        default=None, description="folder of the segments, None for recordings in the user's data folder"
    )
    segment_s: float = Field(default=60.0, ge=2.0, le=3600.0, description="length of a segment")
    max_gb: float = Field(default=16.0, gt=0.0, description="beyond this size of all segments the oldest go")
    reserve_gb: float = Field(default=1.0, ge=0.0, description="always left free on the disk: the oldest go before")
    keep_days: float | None = Field(
        default=None,
        gt=0.0,
        le=36500.0,
        description="segments older than this go too, unless they are locked; None for never",
    )
    lock_around_s: float = Field(
        default=10.0, ge=0.0, le=600.0, description="a lock also keeps segments that are no further from it than this"
    )
    sync_s: Seconds = Field(default=1.0, description="time between two writes that wait for the disk")
    crf: int = Field(default=23, ge=0, le=51, description="H.264 constant rate factor: lower is better and larger")
    max_kbps: int = Field(default=8000, ge=100, le=200_000, description="bit rate at most, whatever the picture")
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="ultrafast", description="x264 preset: superfast makes smaller files and takes a third longer"
    )
    max_rate_hz: float = Field(
        default=30.0, gt=0.0, le=240.0, description="frames per second that are encoded at most; half costs half"
    )
