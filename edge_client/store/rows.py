"""Reads as they stand in the store, and how they are put there."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_client.types import SingleRead, TrackRead


@dataclass(frozen=True, slots=True)
class StoredSingle:
    """One answer of the recogniser behind a read; the box is (xmin, ymin, xmax, ymax) in frame pixels."""

    frame_number: int
    seen: datetime
    text: str
    character_confidences: tuple[float, ...]
    box: tuple[float, ...]
    sharpness: float
    crop_jpeg: bytes


@dataclass(frozen=True, slots=True)
class StoredRead:
    """One plate as it was read: times are UTC, degrees WGS 84, None without a fix."""

    id: int
    uid: str
    text: str
    confidence: float
    character_confidences: tuple[float, ...]
    first_seen: datetime
    last_seen: datetime
    latitude_deg: float | None
    longitude_deg: float | None
    fix_age_s: float | None


READ_COLUMNS = "id, uid, text, confidence, character_confidences, first_seen, last_seen, latitude, longitude, fix_age_s"
SINGLE_COLUMNS = "frame_number, seen, text, character_confidences, box, sharpness, crop"


def time_text(moment: datetime) -> str:
    """`2026-11-21T13:21:49.123Z`: UTC, sorts as text."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_values(read: TrackRead) -> dict[str, object]:
    """The columns of `reads` but `id`."""
    latitude, longitude = _position(read.latitude_deg, read.longitude_deg)
    return {
        "uid": read.uid,
        "text": read.text,
        "confidence": min(1.0, max(0.0, float(read.confidence))),
        "character_confidences": json.dumps([round(float(c), 4) for c in read.character_confidences]),
        "first_seen": time_text(read.first_seen),
        "last_seen": time_text(read.last_seen),
        "latitude": latitude,
        "longitude": longitude,
        "fix_age_s": None if latitude is None else read.fix_age_s,
        "crop": read.crop_jpeg,
    }


def single_values(single: SingleRead) -> dict[str, object]:
    """The columns of `single_reads` but `read_id`."""
    fix = single.fix
    latitude, longitude = _position(fix.latitude_deg if fix else None, fix.longitude_deg if fix else None)
    words = [
        {"text": w.text, "quad": w.quad, "confidences": [round(float(c), 4) for c in w.confidences]}
        for w in single.words
    ]
    box = single.box
    return {
        "frame_number": single.frame_number,
        "seen": time_text(single.utc),
        "text": single.text,
        "character_confidences": json.dumps([round(float(c), 4) for c in single.confidences]),
        "words": json.dumps(words),
        "box": json.dumps([round(float(v), 1) for v in (box.xmin, box.ymin, box.xmax, box.ymax)]),
        "sharpness": float(single.sharpness),
        "latitude": latitude,
        "longitude": longitude,
        "fix_age_s": None if latitude is None else single.fix_age_s,
        "crop": single.crop_jpeg,
    }


def stored_read(row: sqlite3.Row) -> StoredRead:
    """A row of `READ_COLUMNS` as it is passed around."""
    return StoredRead(
        id=row["id"],
        uid=row["uid"],
        text=row["text"],
        confidence=row["confidence"],
        character_confidences=tuple(json.loads(row["character_confidences"])),
        first_seen=datetime.fromisoformat(row["first_seen"]),
        last_seen=datetime.fromisoformat(row["last_seen"]),
        latitude_deg=row["latitude"],
        longitude_deg=row["longitude"],
        fix_age_s=row["fix_age_s"],
    )


def stored_single(row: sqlite3.Row) -> StoredSingle:
    """A row of `SINGLE_COLUMNS` as it is passed around."""
    return StoredSingle(
        frame_number=row["frame_number"],
        seen=datetime.fromisoformat(row["seen"]),
        text=row["text"],
        character_confidences=tuple(json.loads(row["character_confidences"])),
        box=tuple(json.loads(row["box"])),
        sharpness=row["sharpness"],
        crop_jpeg=row["crop"],
    )


def _position(latitude: float | None, longitude: float | None) -> tuple[float | None, float | None]:
    """Both degrees or none; a receiver's (0, 0) is no position."""
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None
    return latitude, longitude
