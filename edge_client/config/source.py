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
    pictures_taken_hz: float = Field(
        default=1.0, gt=0.0, le=240.0, description="full rate: pictures a second at which a folder was taken"
    )
    decoder_threads: int = Field(default=1, ge=1, le=16, description="threads of the video decoder")
    open_timeout_s: Seconds = Field(default=10.0, description="how long a stream or camera may take to open")
    read_timeout_s: Seconds = Field(
        default=5.0, description="a camera or stream that gives no picture for so long is started again"
    )
    reconnect_s: float | None = Field(
        default=None,
        ge=0.0,
        description="how long a camera or stream that has run is tried again once lost, None for ever",
    )
    reconnect_pause_s: Seconds = Field(
        default=10.0, description="longest pause between two tries; the first is 0.2 s, each further one twice as long"
    )
    wait_for_camera: bool = Field(
        default=False,
        description="wait for a camera or stream that is not there at the start, too, as a service should",
    )
    camera_width_px: int = Field(default=1280, ge=64, le=8192, description="width asked of a camera")
    camera_height_px: int = Field(default=720, ge=64, le=8192, description="height asked of a camera")
    camera_rate_hz: float = Field(default=30.0, ge=1.0, le=240.0, description="frames per second asked of a camera")
    camera_upside_down: bool = Field(default=False, description="whether the camera hangs with its top down")
    pi_video_width_px: int = Field(
        default=1920,
        ge=64,
        le=8192,
        description="Pi camera: width of the video that it encodes by itself, at least that of the frames",
    )
    pi_video_height_px: int = Field(
        default=1080, ge=64, le=8192, description="Pi camera: height of that video, at least that of the frames"
    )
    pi_video_bitrate_bps: int = Field(
        default=8_000_000, ge=100_000, le=100_000_000, description="Pi camera: bits per second of that video"
    )
