"""How pictures are taken."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_client.config.base import Seconds, Section


class SourceSettings(Section):
    """How pictures are taken from the source."""

    rate: Literal["realtime", "full"] = Field(
        default="realtime",
        description="realtime plays like a camera and skips late work; full infers every frame of a file",
    )
    scale_video: float = Field(default=1.0, gt=0.0, le=4.0, description="factor by which each frame is resized at once")
    frames_to_skip: int = Field(default=0, ge=0, description="frames left out at the start of a recording")
    picture_rate_hz: float = Field(default=10.0, gt=0.0, le=240.0, description="rate at which a folder is played")
    decoder_threads: int = Field(default=1, ge=1, le=16, description="threads of the video decoder")
    open_timeout_s: Seconds = Field(default=10.0, description="how long a stream or camera may take to open")
    read_timeout_s: Seconds = Field(default=5.0, description="how long a stream may take for one frame")
    reconnect_s: float = Field(default=30.0, ge=0.0, description="how long a lost stream is tried again before the end")
