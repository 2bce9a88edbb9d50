"""Finding, linking and reading plates."""

from __future__ import annotations

from pydantic import Field

from edge_client.config.base import Quality, Seconds, Section, Unit


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
    min_gain: Unit = Field(
        default=0.26, description="a crop that less likely puts a plate right which is not right yet is not sent"
    )
    at_once_px: float = Field(
        default=120.0,
        gt=0.0,
        description="plates this wide (less if sharp, more if blurred or doubtful) are sent at once",
    )
    wait_s: float = Field(default=0.5, ge=0.0, description="how long a better crop of a smaller plate is waited for")
    again_s: Seconds = Field(
        default=1.0, description="pause before a plate that is not well read is sent again; doubles each time"
    )
    larger_crop: float = Field(default=1.3, ge=1.0, description="without a pause when it is this much larger by then")
    sure_confidence: Unit = Field(default=0.9, description="one read of which this is sure is good")
    enough_confidence: Unit = Field(default=0.75, description="a vote of this confidence on enough reads is good")
    enough_reads: int = Field(default=2, ge=1, description="agreeing reads that make a confident vote good")
    verify_s: Seconds = Field(
        default=25.0,
        description="a well read plate that stays in sight is sent again after this time; doubles each time",
    )
    max_reads: int = Field(default=12, ge=1, le=100, description="single reads kept and voted per plate")
    max_requests: int = Field(default=8, ge=1, description="crops sent per track at most")
    passed_s: Seconds = Field(default=60.0, description="a plate that is seen again after this long is a new read")
    requests_per_s: float = Field(default=5.0, gt=0.0, description="crops sent per second at most, all plates")
    requests_burst: int = Field(default=15, ge=1, description="crops that may be sent at once after a quiet time")


class TrackingSettings(Section):
    """How boxes are linked and carried across frames."""

    reach: float = Field(default=2.0, gt=0.0, description="how far a plate may jump, in plate widths, to be linked")
    keep_s: Seconds = Field(default=1.5, description="a track that is not seen for this long is lost")
    remember_s: float = Field(default=30.0, ge=0.0, description="how long a lost plate is known again by its looks")
    carry_s: Seconds = Field(default=0.5, description="how long a box is carried over frames without a result")
    carry_missed_s: float = Field(default=0.25, ge=0.0, description="how long a box is carried when it is not detected")


class ReassemblySettings(Section):
    """How frames are put back in order."""

    deadline_s: Seconds = Field(default=1.0, description="realtime: no frame waits longer for its result")
    frames_at_once: int = Field(default=16, ge=1, le=256, description="full rate: frames in flight at most")
    display_queue: int = Field(default=16, ge=1, le=1024, description="shown frames that may wait for the displays")
