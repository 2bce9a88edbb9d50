"""The settings of the dashcam: what may stand in `config/edge.yaml`, key by key.

Unknown keys and wrong values are refused by `edge_client.config_file.load_settings`, which names the key and
its line. Without a file these defaults hold; the shipped file states the same values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Quality = Annotated[int, Field(ge=1, le=100)]


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


class PositionSettings(Section):
    """Where positions come from."""

    nmea_log: Path | None = Field(
        default=None,
        description="NMEA 0183 log replayed beside a recording: its first fix is the recording's start",
    )
    max_age_s: Seconds = Field(default=10.0, description="a fix older than this counts as no position")


class ApiSettings(Section):
    """Which prediction APIs are asked."""

    yolov3_endpoint: str | None = Field(default=None, description="URL of the detector, None for the embedded APIs")
    crnn_endpoint: str | None = Field(default=None, description="URL of the reader, None for the embedded APIs")
    api_key_file: Path | None = Field(
        default=None, description="file that holds the API key; the variable DASHCAM_API_KEY goes before it"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust besides the usual ones, PEM")
    embedded_config: Path | None = Field(default=None, description="configuration handed to the embedded APIs")
    embedded_start_timeout_s: Seconds = Field(default=60.0, description="how long the embedded APIs may take to start")
    embedded_restarts: int = Field(default=5, ge=0, description="how often dead embedded APIs are started again")
    embedded_log: Path | None = Field(
        default=None, description="where the embedded APIs write their log, None for a temporary file"
    )

    @field_validator("yolov3_endpoint", "crnn_endpoint")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> ApiSettings:
        if (self.yolov3_endpoint is None) != (self.crnn_endpoint is None):
            raise ValueError("set both yolov3_endpoint and crnn_endpoint, or none for the embedded APIs")
        return self


class PoolSettings(Section):
    """How the APIs are asked."""

    max_in_flight: int = Field(default=8, ge=1, le=64, description="requests in flight at most, both APIs together")
    waiting_frames: int = Field(default=2, ge=1, le=64, description="realtime: frames that wait for a free request")
    connect_timeout_s: Seconds = Field(default=2.0, description="how long a connection may take")
    read_timeout_s: Seconds = Field(default=10.0, description="how long an answer may take")
    retry_jitter_s: Seconds = Field(default=0.1, description="a dropped connection is retried once within this time")
    failures_to_pause: int = Field(default=4, ge=1, description="failures in a row after which an API is left alone")
    pause_s: Seconds = Field(default=0.5, description="first pause of a failing API; doubles with each failed probe")
    max_pause_s: Seconds = Field(default=8.0, description="longest pause of a failing API")
    outage_wait_s: float = Field(
        default=10.0,
        ge=0.0,
        description="full rate: how long frames wait for an unreachable API before going plain",
    )


class DetectionSettings(Section):
    """What is sent to the detector and what of its answer counts."""

    pick_every_nth_frame: int = Field(default=1, ge=1, description="frames between two that are inferred, plus one")
    yolov3_input_size_px: int = Field(default=416, ge=64, le=4096, description="width of the reduced grey picture")
    yolov3_jpeg_quality: Quality = Field(default=85, description="JPEG quality of the reduced picture")
    masked_upper_part: Unit = Field(
        default=0.0, description="part of the height, from the top, that is blackened before sending"
    )
    min_score: Unit = Field(default=0.4, description="boxes with a lower score are left out")


class ReadingSettings(Section):
    """Which crops are sent to the reader."""

    crop_margin: Unit = Field(default=0.1, description="slack around the box, as part of its width and height")
    crnn_jpeg_quality: Quality = Field(default=92, description="JPEG quality of the crops")
    min_width_px: int = Field(default=16, ge=1, description="narrower plates are not sent")
    min_height_px: int = Field(default=6, ge=1, description="lower plates are not sent")
    enough_confidence: Unit = Field(default=0.9, description="a vote of this confidence on enough reads is good")
    enough_reads: int = Field(default=2, ge=1, description="agreeing reads that make a confident vote good")
    larger_crop: float = Field(default=1.5, ge=1.0, description="a well read plate is sent again when this much larger")
    max_reads: int = Field(default=12, ge=1, le=100, description="single reads kept and voted per plate")
    max_requests: int = Field(default=30, ge=1, description="crops sent per track at most")


class TrackingSettings(Section):
    """How boxes are linked and carried across frames."""

    reach: float = Field(default=2.0, gt=0.0, description="how far a plate may jump, in plate widths, to be linked")
    keep_s: Seconds = Field(default=1.5, description="a track that is not seen for this long ends")
    carry_s: Seconds = Field(default=0.5, description="how long a box is carried over frames without a result")
    carry_missed_s: float = Field(default=0.25, ge=0.0, description="how long a box is carried when it is not detected")


class ReadSettings(Section):
    """Which reads are kept, and where."""

    file: Path | None = Field(
        default=None, description="SQLite file of the reads, None for one in the user's data folder"
    )
    min_confidence: Unit = Field(default=0.5, description="votes below this are not stored")
    min_lone_confidence: Unit = Field(
        default=0.9, description="votes that fewer than two reads support need this confidence"
    )
    min_length: int = Field(default=4, ge=1, description="shorter texts are not stored")
    max_length: int = Field(default=10, ge=1, description="longer texts are not stored")
    same_plate_s: Seconds = Field(default=30.0, description="within this time nearly equal reads count as one plate")


class ReassemblySettings(Section):
    """How frames are put back in order."""

    deadline_s: Seconds = Field(default=1.0, description="realtime: no frame waits longer for its result")
    frames_at_once: int = Field(default=16, ge=1, le=256, description="full rate: frames in flight at most")
    display_queue: int = Field(default=16, ge=1, le=1024, description="shown frames that may wait for the displays")


class WindowSettings(Section):
    """The window."""

    enabled: bool = Field(default=True, description="show a window where there is a screen")
    full_screen: bool = Field(default=False, description="open it over the full screen")


class WebSettings(Section):
    """The web page."""

    address: str = Field(
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


class EdgeSettings(Section):
    """All settings of the dashcam."""

    source: SourceSettings = Field(default=SourceSettings(), description="the source of pictures")
    positions: PositionSettings = Field(default=PositionSettings(), description="the source of positions")
    apis: ApiSettings = Field(default=ApiSettings(), description="the prediction APIs")
    pool: PoolSettings = Field(default=PoolSettings(), description="the request pool")
    detection: DetectionSettings = Field(default=DetectionSettings(), description="finding plates")
    reading: ReadingSettings = Field(default=ReadingSettings(), description="reading plates")
    tracking: TrackingSettings = Field(default=TrackingSettings(), description="linking plates")
    reads: ReadSettings = Field(default=ReadSettings(), description="the reads that are kept")
    reassembly: ReassemblySettings = Field(default=ReassemblySettings(), description="order of frames")
    window: WindowSettings = Field(default=WindowSettings(), description="the window")
    web: WebSettings = Field(default=WebSettings(), description="the web page")
    record: RecordSettings = Field(default=RecordSettings(), description="the video file")
