"""GPX and GeoJSON, read back by others and compared with their specifications."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import defusedxml.ElementTree
import gpxpy
import pytest

from edge_client.store.drives import DriveStart, Position
from edge_client.store.geojson import write_geojson
from edge_client.store.gpx import write_gpx
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.ways import ways_of
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import START, read

HOSTILE = '<&"B\x00\x1b1]]>'
# The order of elements in wptType and trkType of gpx.xsd.
WAYPOINT_ORDER = ("time", "name", "cmt", "desc", "type", "sat", "hdop")
TRACK_ORDER = ("name", "cmt", "src", "trkseg")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[ReadLibrary]:
    store = SqliteReads(tmp_path / "reads.db")
    store.begin_drive(DriveStart("d", START, source="road & rail.mp4"))
    track = [(45.0, 179.9), (45.0, -179.9), (45.0, -179.8)]
    store.add_positions("d", [Position(START + timedelta(seconds=n), *p) for n, p in enumerate(track)])
    placed = replace(read("a", HOSTILE, place=(45.0, 180.0)), drive="d", satellites=7, hdop=1.25, speed_mps=12.5)
    store.save(placed)
    store.save(replace(read("b", "B2", seconds=5), drive="d"))
    store.close()
    with ReadLibrary(tmp_path / "reads.db") as opened:
        yield opened


def exported(library: ReadLibrary, form: str) -> str:
    text = io.StringIO()
    reads = library.find(ReadFilter())
    (write_gpx if form == "gpx" else write_geojson)(reads, ways_of(library, ReadFilter(), reads), text)
    return text.getvalue()


def test_gpx_is_read_by_others(library: ReadLibrary) -> None:
    gpx = gpxpy.parse(exported(library, "gpx"))
    assert gpx.version == "1.1"
    (point,) = gpx.waypoints  # the read without a position is none
    assert (point.latitude, point.longitude, point.satellites, point.horizontal_dilution) == (45.0, -180.0, 7, 1.2)
    assert point.time == START
    assert point.name == '<&"B\ufffd\ufffd1]]>'
    assert "12.5 m/s" in (point.description or "")
    (track,) = gpx.tracks
    assert (track.comment, track.source) == ("d", "road & rail.mp4")
    assert [(p.latitude, p.longitude) for p in track.segments[0].points] == [
        (45.0, 179.9),
        (45.0, -179.9),
        (45.0, -179.8),
    ]
    assert track.segments[0].points[1].time == START + timedelta(seconds=1)


def test_gpx_keeps_to_the_order_of_its_schema(library: ReadLibrary) -> None:
    root = defusedxml.ElementTree.fromstring(exported(library, "gpx").encode())
    space = "{http://www.topografix.com/GPX/1/1}"
    assert root.tag == f"{space}gpx"
    assert [child.tag.removeprefix(space) for child in root] == ["wpt", "trk"]
    for kind, order in (("wpt", WAYPOINT_ORDER), ("trk", TRACK_ORDER)):
        for element in root.iter(f"{space}{kind}"):
            places = [order.index(child.tag.removeprefix(space)) for child in element]
            assert places == sorted(places)


def test_geojson_keeps_to_rfc_7946(library: ReadLibrary) -> None:
    collection = json.loads(exported(library, "geojson"))
    assert collection["type"] == "FeatureCollection"
    features = {feature["id"]: feature for feature in collection["features"]}
    assert all(feature["type"] == "Feature" for feature in features.values())
    assert features["a"]["geometry"] == {"type": "Point", "coordinates": [180.0, 45.0]}  # longitude first
    assert (features["a"]["properties"]["text"], features["a"]["properties"]["speed_mps"]) == (HOSTILE, 12.5)
    assert features["b"]["geometry"] is None
    way = features["d"]
    assert way["geometry"]["type"] == "MultiLineString"
    assert way["geometry"]["coordinates"] == [
        [[179.9, 45.0], [180.0, 45.0]],
        [[-180.0, 45.0], [-179.9, 45.0], [-179.8, 45.0]],
    ]
    assert (way["properties"]["kind"], way["properties"]["reads"]) == ("drive", 2)


def test_nothing_to_export() -> None:
    text = io.StringIO()
    write_gpx([], [], text)
    assert gpxpy.parse(text.getvalue()).waypoints == []
    text = io.StringIO()
    write_geojson([], [], text)
    assert json.loads(text.getvalue()) == {"type": "FeatureCollection", "features": []}
