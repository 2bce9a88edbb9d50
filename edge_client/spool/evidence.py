"""One piece of evidence as it lies on disk: a frame or a crop with all that its read will need.

A file is one line with the format's name and the CRC-32 of all that follows it, one line of JSON, and a JPEG. Half
written or damaged files are told by the checksum.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloud_apis.contract import PlateBox
from edge_client.pipeline.events import SentCrop, Sighting
from edge_client.types import Fix, UtcSource

_MAGIC = b"dashcam-evidence-1 "


class EvidenceError(ValueError):
    """A file is damaged, or none of ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A frame's JPEG, or a crop's (then ``crop`` tells its track and place), of the drive with this uid."""

    drive: str
    sighting: Sighting
    jpeg: bytes
    crop: SentCrop | None = None


def encode(evidence: Evidence) -> bytes:
    """The file's content."""
    head: dict[str, object] = {"drive": evidence.drive, "sighting": _sighting_values(evidence.sighting)}
    if evidence.crop is not None:
        head["crop"] = _crop_values(evidence.crop)
    rest = json.dumps(head, allow_nan=False).encode("ascii") + b"\n" + evidence.jpeg
    return _MAGIC + f"{zlib.crc32(rest):08x}\n".encode("ascii") + rest


def decode(content: bytes) -> Evidence:
    """The evidence in a file's content. Raises `EvidenceError`."""
    first, _, rest = content.partition(b"\n")
    if not first.startswith(_MAGIC) or first[len(_MAGIC) :] != f"{zlib.crc32(rest):08x}".encode("ascii"):
        raise EvidenceError("the checksum does not fit")
    head, _, jpeg = rest.partition(b"\n")
    try:
        values = json.loads(head)
        sighting = _sighting(values["sighting"])
        crop = _crop(values["crop"], sighting, jpeg) if "crop" in values else None
        return Evidence(str(values["drive"]), sighting, jpeg, crop)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise EvidenceError(f"its description makes no sense: {type(error).__name__}") from None


def _sighting_values(seen: Sighting) -> dict[str, object]:
    return {
        "frame_number": seen.frame_number,
        "media_s": seen.media_s,
        "monotonic_s": seen.captured_monotonic_s,
        "utc": seen.utc.isoformat(),
        "utc_source": seen.utc_source.value,
        "fix": _fix_values(seen.fix) if seen.fix is not None else None,
        "fix_age_s": seen.fix_age_s,
    }


def _fix_values(fix: Fix) -> dict[str, object]:
    return {
        "latitude_deg": fix.latitude_deg,
        "longitude_deg": fix.longitude_deg,
        "utc": fix.utc.isoformat() if fix.utc is not None else None,
        "monotonic_s": fix.monotonic_s,
        "speed_mps": fix.speed_mps,
        "course_deg": fix.course_deg,
        "satellites": fix.satellites,
        "hdop": fix.hdop,
    }


def _crop_values(crop: SentCrop) -> dict[str, object]:
    return {
        "track": crop.track,
        "width_px": crop.width_px,
        "height_px": crop.height_px,
        "sharpness": crop.sharpness,
        "box": [crop.box.xmin, crop.box.ymin, crop.box.xmax, crop.box.ymax, crop.box.objectness],
        "class_scores": list(crop.box.class_scores),
        "began": crop.began.isoformat(),
        "began_monotonic_s": crop.began_monotonic_s,
    }


def _sighting(values: Mapping[str, Any]) -> Sighting:
    return Sighting(
        frame_number=int(values["frame_number"]),
        media_s=_number(values["media_s"]),
        captured_monotonic_s=_number(values["monotonic_s"]),
        utc=_time(values["utc"]),
        utc_source=UtcSource(values["utc_source"]),
        fix=_fix(values["fix"]) if values["fix"] is not None else None,
        fix_age_s=_maybe(values["fix_age_s"]),
    )


def _fix(values: Mapping[str, Any]) -> Fix:
    satellites = values["satellites"]
    return Fix(
        latitude_deg=_number(values["latitude_deg"]),
        longitude_deg=_number(values["longitude_deg"]),
        utc=_time(values["utc"]) if values["utc"] is not None else None,
        monotonic_s=_number(values["monotonic_s"]),
        speed_mps=_maybe(values["speed_mps"]),
        course_deg=_maybe(values["course_deg"]),
        satellites=int(satellites) if satellites is not None else None,
        hdop=_maybe(values["hdop"]),
    )


def _crop(values: Mapping[str, Any], sighting: Sighting, jpeg: bytes) -> SentCrop:
    xmin, ymin, xmax, ymax, objectness = map(_number, values["box"])
    return SentCrop(
        track=int(values["track"]),
        jpeg=jpeg,
        width_px=int(values["width_px"]),
        height_px=int(values["height_px"]),
        sharpness=_number(values["sharpness"]),
        box=PlateBox(xmin, ymin, xmax, ymax, objectness, tuple(map(_number, values["class_scores"]))),
        sighting=sighting,
        began=_time(values["began"]),
        began_monotonic_s=_maybe(values.get("began_monotonic_s")),
    )


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without its zone")
    return time.astimezone(UTC)


def _number(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _maybe(value: float | None) -> float | None:
    return None if value is None else _number(value)
