"""Reads as CSV and JSON for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from edge_client.store.rows import StoredRead, time_text
from edge_client.store.vehicle_columns import vehicle_object
from edge_client.types import Vehicle

CSV_COLUMNS = (
    "Date",
    "License Plate",
    "Coordinates",
    "Confidence",
    "First Seen",
    "Last Seen",
    "Latitude",
    "Longitude",
    "Fix Age (s)",
    "Read",
    "Speed (m/s)",
    "Course (deg)",
    "Satellites",
    "HDOP",
    "Time Source",
    "Drive",
    "Known As",
    "Note",
    "Type",
    "Colour",
    "Make",
    "Model",
    "Type Confidence",
    "Colour Confidence",
    "Make Confidence",
    "Model Confidence",
)
"""The first three are those of the original's file."""


def as_object(read: StoredRead) -> dict[str, object]:
    """A read as JSON has it; degrees are null without a fix, the vehicle where nothing is known of it.

    Its text is empty for a car whose plate could not be read.
    """
    return {
        "id": read.id,
        "uid": read.uid,
        "text": read.text,
        "confidence": read.confidence,
        "character_confidences": list(read.character_confidences),
        "first_seen": time_text(read.first_seen),
        "last_seen": time_text(read.last_seen),
        "latitude": read.latitude_deg,
        "longitude": read.longitude_deg,
        "fix_age_s": read.fix_age_s,
        "speed_mps": read.speed_mps,
        "course_deg": read.course_deg,
        "satellites": read.satellites,
        "hdop": read.hdop,
        "utc_source": read.utc_source,
        "drive": read.drive,
        "ended": read.ended,
        "known": read.known,
        "note": read.note,
        "hashed": read.hashed,
        "vehicle": vehicle_object(read.vehicle),
    }


def write_json(reads: Iterable[StoredRead], file: TextIO) -> None:
    """One list with one object per read, each on a line of its own."""
    lines = ",\n".join(f"  {json.dumps(as_object(read))}" for read in reads)
    file.write(f"[\n{lines}\n]\n" if lines else "[]\n")


def write_csv(reads: Iterable[StoredRead], file: TextIO) -> None:
    """One line per read below a line of headings (RFC 4180 with line feeds); unknown values are empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for read in reads:
        car = read.vehicle or Vehicle()
        has_place = read.latitude_deg is not None and read.longitude_deg is not None
        writer.writerow(
            (
                f"{read.first_seen:%Y-%m-%d %H:%M:%S}",
                _harmless(read.text),
                f"{read.latitude_deg:.6f}, {read.longitude_deg:.6f}" if has_place else "",
                f"{read.confidence:.4f}",
                time_text(read.first_seen),
                time_text(read.last_seen),
                _number(read.latitude_deg, 6),
                _number(read.longitude_deg, 6),
                _number(read.fix_age_s, 2),
                read.id,
                _number(read.speed_mps, 2),
                _number(read.course_deg, 1),
                "" if read.satellites is None else read.satellites,
                _number(read.hdop, 1),
                read.utc_source,
                _harmless(read.drive),
                _harmless(read.known),
                _harmless(read.note),
                *(_harmless(name) for name in (car.type, car.colour, car.make, car.model)),
                *(_number(chance or None, 4) for chance in _chances(car)),
            )
        )


def _chances(car: Vehicle) -> tuple[float, ...]:
    return car.type_confidence, car.colour_confidence, car.make_confidence, car.model_confidence


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _harmless(text: str) -> str:
    """A text that spreadsheets do not take for a formula (OWASP, CSV injection).

    Carriage returns become line feeds: the writer does not quote them, so that they would begin a line of their own.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
