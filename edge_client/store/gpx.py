"""Reads and drives as GPX 1.1 (https://www.topografix.com/GPX/1/1/): waypoints and tracks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import TextIO

from edge_client.store.rows import StoredRead, time_text
from edge_client.store.ways import Way

_NAMESPACE = "http://www.topografix.com/GPX/1/1"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_gpx(reads: Iterable[StoredRead], ways: Iterable[Way], file: TextIO) -> None:
    """Reads with a position as waypoints, drives as tracks; the order of elements is the schema's."""
    root = ET.Element(
        "gpx",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{_NAMESPACE} {_NAMESPACE}/gpx.xsd",
            "version": "1.1",
            "creator": "plate-dashcam",
        },
    )
    for read in reads:
        if read.latitude_deg is not None and read.longitude_deg is not None:
            _waypoint(root, read, read.latitude_deg, read.longitude_deg)
    for way in ways:
        track = ET.SubElement(root, "trk")
        _text(track, "name", f"{way.drive.started:%Y-%m-%d %H:%M} UTC")
        _text(track, "cmt", way.drive.uid)
        if way.drive.source:
            _text(track, "src", way.drive.source)
        for segment in way.segments:
            part = ET.SubElement(track, "trkseg")
            for point in segment:
                place = _place(point.latitude_deg, point.longitude_deg)
                _text(ET.SubElement(part, "trkpt", place), "time", time_text(point.seen))
    ET.indent(root)
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    file.write(ET.tostring(root, encoding="unicode"))
    file.write("\n")


def _waypoint(root: ET.Element, read: StoredRead, latitude_deg: float, longitude_deg: float) -> None:
    point = ET.SubElement(root, "wpt", _place(latitude_deg, longitude_deg))
    _text(point, "time", time_text(read.first_seen))
    title = read.vehicle.title if read.vehicle is not None else ""
    _text(point, "name", read.text or title)
    _text(point, "cmt", read.uid)
    about = [f"confidence {read.confidence:.2f}" if read.text else "its plate was not read"]
    about += [title] if title else []
    about += [f"last seen {time_text(read.last_seen)}"]
    if read.speed_mps is not None:
        about.append(f"{read.speed_mps:.1f} m/s")
    about += [part for part in (read.known, read.note) if part]
    _text(point, "desc", "; ".join(about))
    _text(point, "type", "licence plate" if read.text else "vehicle")
    if read.satellites is not None:
        _text(point, "sat", str(read.satellites))
    if read.hdop is not None:
        _text(point, "hdop", f"{read.hdop:.1f}")


def _place(latitude_deg: float, longitude_deg: float) -> dict[str, str]:
    """The schema's longitudes end before 180."""
    longitude = -180.0 if longitude_deg >= 180 else longitude_deg
    return {"lat": f"{latitude_deg:.7f}", "lon": f"{longitude:.7f}"}


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("\ufffd", text)
