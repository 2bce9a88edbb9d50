"""Frames, boxes and reads for tests of the displays and the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from cloud_apis.contract import PlateBox, Word
from edge_client.types import Fix, Frame, Image, Outcome, ShownFrame, SingleRead, TrackedBox, TrackRead

START = datetime(2026, 5, 1, 10, 0, 0, 250_000, tzinfo=UTC)
BOX = PlateBox(100.0, 60.0, 160.0, 80.0, 0.95, (0.98,))
FIX = Fix(45.753721, 21.225711, START, 0.0, speed_mps=15.0)


def picture(width: int = 320, height: int = 180, value: int = 90) -> Image:
    return np.full((height, width, 3), value, np.uint8)


def with_strokes(image: Image, box: PlateBox) -> Image:
    """The picture with a plate at the box that is sharp enough to be sent to the reader."""
    part = image[round(box.ymin) : round(box.ymax), round(box.xmin) : round(box.xmax)]
    part[:] = np.random.default_rng(1).integers(0, 2, (*part.shape[:2], 1), dtype=np.uint8) * 200
    return image


def jpeg(width: int = 64, height: int = 20) -> bytes:
    return cv2.imencode(".jpg", picture(width, height))[1].tobytes()


def shown(
    number: int = 0,
    image: Image | None = None,
    boxes: tuple[TrackedBox, ...] = (),
    *,
    fix: Fix | None = None,
    fix_age_s: float | None = None,
    captured_s: float | None = None,
) -> ShownFrame:
    frame = Frame(
        number,
        picture() if image is None else image,
        number / 30 if captured_s is None else captured_s,
        START + timedelta(seconds=number / 30),
        fix,
        fix_age_s,
    )
    return ShownFrame(frame, Outcome.ANNOTATED if boxes else Outcome.PLAIN, boxes, 0.1)


def single(frame_number: int, text: str = "B123XYZ", *, sharpness: float = 100.0, fix: Fix | None = None) -> SingleRead:
    confidences = (0.9,) * len(text)
    return SingleRead(
        track_id=1,
        frame_number=frame_number,
        utc=START + timedelta(seconds=frame_number / 30),
        words=(Word(text, ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0)), confidences),),
        text=text,
        confidences=confidences,
        crop_jpeg=jpeg(),
        crop_width_px=64,
        crop_height_px=20,
        sharpness=sharpness,
        box=BOX,
        fix=fix,
        fix_age_s=None if fix is None else 0.2,
    )


def read(
    uid: str = "run-1",
    text: str = "B123XYZ",
    confidence: float = 0.93,
    *,
    seconds: float = 0.0,
    place: tuple[float, float] | None = None,
    singles: tuple[SingleRead, ...] = (),
    supersedes: tuple[str, ...] = (),
) -> TrackRead:
    first = START + timedelta(seconds=seconds)
    latitude, longitude = place or (None, None)
    return TrackRead(
        uid=uid,
        text=text,
        confidence=confidence,
        character_confidences=(confidence,) * len(text),
        first_seen=first,
        last_seen=first + timedelta(seconds=2),
        latitude_deg=latitude,
        longitude_deg=longitude,
        fix_age_s=None if place is None else 0.4,
        crop_jpeg=jpeg(),
        singles=singles,
        supersedes=supersedes,
    )
