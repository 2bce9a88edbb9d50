"""Reads and drives as GeoJSON (RFC 7946): longitude before latitude, WGS 84."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from edge_client.geodesy import LonLat, cut_at_antimeridian
from edge_client.store.export import as_object
from edge_client.store.rows import StoredRead, time_text
from edge_client.store.ways import Way


def write_geojson(reads: Iterable[StoredRead], ways: Iterable[Way], file: TextIO) -> None:
    """One collection: a point per read (no geometry without a position), a line per drive; each on a line."""
    features = [*map(read_feature, reads), *map(way_feature, ways)]
    lines = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    file.write(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n')


def read_feature(read: StoredRead) -> dict[str, object]:
    """A read as a point with the fields of the JSON export."""
    geometry = None
    if read.latitude_deg is not None and read.longitude_deg is not None:
        geometry = {"type": "Point", "coordinates": [round(read.longitude_deg, 7), round(read.latitude_deg, 7)]}
    about = {name: value for name, value in as_object(read).items() if name not in ("latitude", "longitude")}
    return {"type": "Feature", "id": read.uid, "geometry": geometry, "properties": {"kind": "read", **about}}


def way_feature(way: Way) -> dict[str, object]:
    """A drive as lines, one per segment, cut where they cross the antimeridian; a lone point is no line."""
    lines: list[list[LonLat]] = []
    for segment in way.segments:
        points = [(round(p.longitude_deg, 7), round(p.latitude_deg, 7)) for p in segment]
        lines += cut_at_antimeridian(points)
    drive = way.drive
    return {
        "type": "Feature",
        "id": drive.uid,
        "geometry": {"type": "MultiLineString", "coordinates": lines} if lines else None,
        "properties": {
            "kind": "drive",
            "drive": drive.uid,
            "started": time_text(drive.started),
            "ended": time_text(drive.ended) if drive.ended is not None else None,
            "source": drive.source,
            "reads": drive.reads,
        },
    }
