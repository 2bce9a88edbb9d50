"""Telling what the cars look like whose plates are seen."""

from __future__ import annotations

from pydantic import Field

from edge_client.config.base import Quality, Section, Unit


class VehicleSettings(Section):
    """What is asked of cars, and what of the answers is kept."""

    enabled: bool = Field(
        default=True,
        description="have type, colour, make and model of the cars told where the APIs offer /vehicle-report, by one "
        "request per track and looks around, which count for reading.requests_per_s; false asks nothing, and APIs on "
        "this device start without these models",
    )
    min_width_px: int = Field(default=20, ge=1, description="cars with narrower plates are not looked at")
    crop_widths: float = Field(
        default=6.0, ge=1.0, le=30.0, description="side of the picture that is sent of a car, in widths of its plate"
    )
    max_side_px: int = Field(default=416, ge=64, le=4096, description="larger pictures of cars are reduced to this")
    jpeg_quality: Quality = Field(default=80, description="JPEG quality of these pictures")
    wait_s: float = Field(default=1.0, ge=0.0, description="how long a better picture of a car is waited for")
    max_requests: int = Field(
        default=2,
        ge=1,
        le=10,
        description="requests per track at most; more than one only where the one before was of a small or cut car, "
        "or found none",
    )
    min_confidence: Unit = Field(default=0.5, description="what is less likely than this is not named")
    look_around_s: float = Field(
        default=5.0,
        ge=0.0,
        le=3600.0,
        description="every so many seconds a whole picture is sent, after the plates and their cars, for cars whose "
        "plate is missing, covered, too small or turned away; 0 sends none, nor does store_unread: false",
    )
    view_side_px: int = Field(default=960, ge=64, le=4096, description="larger whole pictures are reduced to this")
    store_unread: bool = Field(
        default=True,
        description="keep cars whose plate cannot be read or is not found, too: what they look like, when, where, and "
        "their picture",
    )
