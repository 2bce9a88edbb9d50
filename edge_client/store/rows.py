"""Reads as they stand in the store, and how they are put there."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge_client.store.plate_text import plain_plate
from edge_client.store.secrecy import PlateSecret
from edge_client.store.vehicle_columns import VEHICLE_COLUMNS, stored_vehicle, vehicle_values
from edge_client.types import SingleRead, TrackRead, Vehicle


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
    """One plate as it was read: times are UTC, degrees WGS 84, None without a fix.

    `text` is a keyed hash where `hashed` is true, and empty for a car whose plate could not be read. `known` is the
    name in the owner's list, `note` the owner's own. `utc_source` tells where the times come from, `time_shift_s` what
    was added to them afterwards.
    """

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
    hashed: bool = False
    drive: str = ""
    utc_source: str = "system"
    time_shift_s: float = 0.0
    speed_mps: float | None = None
    course_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    ended: bool = True
    known: str = ""
    note: str = ""
    vehicle: Vehicle | None = None


READ_COLUMNS = (
    "id, uid, text, confidence, character_confidences, first_seen, last_seen, latitude, longitude, fix_age_s, hashed, "
    "drive, utc_source, time_shift_s, speed_mps, course_deg, satellites, hdop, ended, known, note, "
) + ", ".join(VEHICLE_COLUMNS)
SINGLE_COLUMNS = "frame_number, seen, text, character_confidences, box, sharpness, crop"


def time_text(moment: datetime) -> str:
    """`2026-11-21T13:21:49.123Z`: UTC, sorts as text."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """What `time_text` wrote."""
    return datetime.fromisoformat(text)


def shifted(text: str, shift_s: float) -> str:
    """A stored time with so many seconds added; as it is where that leaves the calendar."""
    try:
        return time_text(parse_time(text) + timedelta(seconds=shift_s))
    except OverflowError:
        return text


def read_values(read: TrackRead, secret: PlateSecret | None = None) -> dict[str, object]:
    """The columns of `reads` that the read itself decides; with a secret there is no text and no picture in them."""
    latitude, longitude = _position(read.latitude_deg, read.longitude_deg)
    digest = secret.digest(read.text) if secret is not None and read.text else None
    characters = [round(float(c), 4) for c in read.character_confidences] if secret is None else []
    placed = latitude is not None
    return {
        "uid": read.uid,
        "text": read.text if digest is None else digest,
        "plate": plain_plate(read.text) if digest is None else digest,
        "hashed": int(digest is not None),
        "confidence": min(1.0, max(0.0, float(read.confidence))),
        "character_confidences": json.dumps(characters),
        "first_seen": time_text(read.first_seen),
        "last_seen": time_text(read.last_seen),
        "latitude": latitude,
        "longitude": longitude,
        "fix_age_s": read.fix_age_s if placed else None,
        "speed_mps": read.speed_mps if placed else None,
        "course_deg": read.course_deg if placed else None,
        "satellites": read.satellites if placed else None,
        "hdop": read.hdop if placed else None,
        "drive": read.drive,
        "utc_source": read.utc_source.value,
        "ended": int(read.ended),
        "crop": read.crop_jpeg if secret is None else b"",
        **vehicle_values(read.vehicle),
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
        "utc_source": single.utc_source.value,
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
        first_seen=parse_time(row["first_seen"]),
        last_seen=parse_time(row["last_seen"]),
        latitude_deg=row["latitude"],
        longitude_deg=row["longitude"],
        fix_age_s=row["fix_age_s"],
        hashed=bool(row["hashed"]),
        drive=row["drive"],
        utc_source=row["utc_source"],
        time_shift_s=row["time_shift_s"],
        speed_mps=row["speed_mps"],
        course_deg=row["course_deg"],
        satellites=row["satellites"],
        hdop=row["hdop"],
        ended=bool(row["ended"]),
        known=row["known"],
        note=row["note"],
        vehicle=stored_vehicle(row),
    )


def stored_single(row: sqlite3.Row) -> StoredSingle:
    """A row of `SINGLE_COLUMNS` as it is passed around."""
    return StoredSingle(
        frame_number=row["frame_number"],
        seen=parse_time(row["seen"]),
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
