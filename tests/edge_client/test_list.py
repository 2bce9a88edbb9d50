"""Whole drives into the list: the drive and its track, alerts and events to a real receiver, an ignored plate."""

from __future__ import annotations

import threading
from pathlib import Path

from edge_client.config import EdgeSettings
from edge_client.run import run_drive
from edge_client.store.drive_store import DriveStore, open_drive_store
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.types import LiveStatus, Outcome
from tests.edge_client.fake_apis import FakeApis
from tests.edge_client.outbox.servers import Inbox, web_server
from tests.edge_client.test_run import FRAMES, Memory, apis, configured, video

__all__ = ["apis", "video"]  # fixtures


def sentences() -> str:
    """A drive north, a fix a second."""
    lines = []
    for second in range(3):
        body = f"GPRMC,12000{second}.00,A,4530.{second}000,N,02330.0000,E,10.0,0.0,020126,,,A"
        checksum = 0
        for character in body:
            checksum ^= ord(character)
        lines.append(f"${body}*{checksum:02X}\r\n")
    return "".join(lines)


def listed(apis: FakeApis, tmp_path: Path, action: str, url: str) -> EdgeSettings:
    (tmp_path / "drive.nmea").write_text(sentences())
    (tmp_path / "known.yaml").write_text(f"- {{plate: AB12 CDE, name: a friend, action: {action}}}\n")
    values = configured(apis, "full").model_dump()
    values["positions"]["nmea_log"] = tmp_path / "drive.nmea"
    values["reads"]["known_file"] = tmp_path / "known.yaml"
    values["reading"]["min_gain"] = 0.0  # the picture is flat, its plate small
    values["events"]["webhooks"] = [url]
    return EdgeSettings.model_validate(values)


def driven(settings: EdgeSettings, video: Path, store: DriveStore) -> tuple[Memory, list[LiveStatus]]:
    memory = Memory()
    seen: list[LiveStatus] = []
    run_drive(settings, str(video), [memory], store, threading.Event(), on_status=seen.append)
    return memory, seen


def test_a_drive_leaves_its_track_its_alert_and_its_events(apis: FakeApis, video: Path, tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    locked: list[str] = []
    with web_server(Inbox()) as inbox:
        settings = listed(apis, tmp_path, "alert", inbox.url)
        store = open_drive_store(settings, path, "drive.avi")
        store.on_alert(lambda read, known: locked.append(known.name))
        _, statuses = driven(settings, video, store)
        store = open_drive_store(settings, path)  # what was not delivered by the end is delivered now
        events = inbox.wait_for(3)
        store.close()
    assert locked == ["a friend"]
    assert [alert.text for alert in statuses[-1].alerts] == ["AB12CDE"]
    kinds = [event["kind"] for event in events]
    assert kinds[0] == "new"
    assert {"alert", "end"} <= set(kinds)
    assert {event["drive"] for event in events} == {statuses[-1].drive}
    with ReadLibrary(path) as library:
        (read,) = library.find(ReadFilter())
        (drive,) = library.drives()
        track = library.track(drive.uid)
    assert (read.known, read.drive, read.ended, read.utc_source) == ("a friend", drive.uid, True, "recording")
    assert (drive.source, drive.reads) == ("drive.avi", 1)
    assert drive.ended is not None
    assert 0 < (drive.ended - drive.started).total_seconds() < 1
    assert (track[0].latitude_deg, track[0].longitude_deg) == (45.5, 23.5)


def test_an_ignored_plate_is_not_in_the_list_and_its_text_not_on_the_screen(
    apis: FakeApis, video: Path, tmp_path: Path
) -> None:
    path = tmp_path / "reads.db"
    settings = listed(apis, tmp_path, "ignore", "http://127.0.0.1:9/")
    memory, statuses = driven(settings, video, open_drive_store(settings, path))
    assert [outcome for _, outcome, _ in memory.shown] == [Outcome.ANNOTATED] * FRAMES
    assert {text for _, _, texts in memory.shown for text in texts} == {None}
    assert statuses[-1].alerts == ()
    assert statuses[-1].summary.requests["crnn"]["sent"] > 0
    with ReadLibrary(path) as library:
        assert library.find(ReadFilter()) == []
        assert len(library.drives()) == 1
