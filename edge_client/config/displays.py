"""Where the annotated stream goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge_client.config.base import YAML_OFF, Quality, Section


class WindowSettings(Section):
    """The window."""

    enabled: bool = Field(default=True, description="show a window where there is a screen")
    full_screen: bool = Field(
        default=False, description="open it over the full screen, also of a machine without a desktop"
    )
    view: Literal["car", "picture"] = Field(
        default="car", description="car: picture, last reads, speed and states; picture: the picture alone"
    )
    colours: Literal["auto", "day", "night"] = Field(
        default="auto", description="auto: by the sun where there is a position, else by the picture's brightness"
    )
    speed_unit: Literal["km/h", "mph"] = Field(default="km/h", description="unit of the speed")
    touch_locks: bool = Field(
        default=True, description="a touch on the full screen, or the key L, locks the recorded segment"
    )


class WebSettings(Section):
    """The web page."""

    address: Annotated[str, YAML_OFF] = Field(
        default="127.0.0.1:8081", description="HOST:PORT, or off; other hosts than loopback need a key"
    )
    key_file: Path | None = Field(
        default=None,
        description="file that holds the page's key; the variable DASHCAM_WEB_KEY goes before it",
    )
    width_px: int = Field(default=960, ge=64, le=8192, description="the stream is reduced to this width")
    jpeg_quality: Quality = Field(default=75, description="JPEG quality of the stream")
    max_rate_hz: float = Field(default=15.0, gt=0.0, le=240.0, description="frames per second of the stream at most")


class RecordSettings(Section):
    """The annotated video file."""

    file: Path | None = Field(default=None, description="MP4 to write, None for none")
    crf: int = Field(default=23, ge=0, le=51, description="H.264 constant rate factor: lower is better and larger")
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="ultrafast", description="x264 preset: later ones make smaller files and take longer"
    )
    min_free_mb: int = Field(
        default=100, ge=0, description="the recording ends when less is free on its disk, for the reads' sake"
    )
