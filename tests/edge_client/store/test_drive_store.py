"""The list of a drive as a whole: known plates, listeners, alerts, retention, what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge_client.config import EdgeSettings
from edge_client.errors import ConfigError, StoreError
from edge_client.store.drive_store import DriveStore, open_drive_store
from edge_client.store.drives import DriveLog, DriveStart
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.secrecy import PlateSecret
from edge_client.types import ReadStore, TrackRead, UtcSource
from tests.edge_client.outbox.servers import Inbox, web_server
from tests.edge_client.samples import START, read, single

LIST = """
- {plate: B123XYZ, name: a friend, note: blue van}
- {plate: OWN1234, action: ignore}
"""
Opener = Callable[..., DriveStore]


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    known = tmp_path / "known.yaml"
    known.write_text(LIST, encoding="utf-8")

    def opened(events: dict[str, object] | None = None, **reads: object) -> DriveStore:
        settings = {"reads": {"known_file": known, **reads}, "events": events or {}}
        return open_drive_store(EdgeSettings.model_validate(settings), tmp_path / "reads.db", "road.mp4")

    return opened


def stored(tmp_path: Path) -> dict[str, str]:
    with ReadLibrary(tmp_path / "reads.db") as library:
        return {r.uid: r.known for r in library.find(ReadFilter())}


def test_it_is_a_store_and_a_log_of_drives(opener: Opener) -> None:
    store: ReadStore = opener()
    assert isinstance(store, DriveLog)
    store.close()
    store.close()


def test_listeners_hear_of_reads_also_when_saving_fails(opener: Opener, tmp_path: Path) -> None:
    store = opener()
    heard: list[str] = []
    store.listen(lambda r: heard.append(r.uid))
    store.save(read("a", "A111AAA"))
    store._reads._open_file = lambda file: (_ for _ in ()).throw(StoreError("the disk is full"))
    store._reads.close()
    with pytest.raises(StoreError, match="full"):
        store.save(read("b", "A222AAA"))
    store.close()
    assert heard == ["a", "b"]


def test_a_known_plate_raises_one_alert_per_track(
    opener: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opener()
    locked: list[str] = []
    store.on_alert(lambda r, known: locked.append(f"{r.uid}: {known.name}"))
    with caplog.at_level(logging.WARNING):
        store.save(read("a", "B123XYZ", 0.7))
        store.save(read("a", "B123XYZ", 0.9))
        store.save(read("b", "B123XYZ", supersedes=("a",)))
        store.save(read("c", "A999AAA"))
        store.save(read("d", "8123XYZ"))  # B and 8 are easily confused
    assert locked == ["a: a friend", "d: a friend"]
    assert [(a.uid, a.text, a.name, a.note) for a in store.alerts()] == [
        ("a", "B123XYZ", "a friend", "blue van"),
        ("d", "8123XYZ", "a friend", "blue van"),
    ]
    assert caplog.text.count("alert: a friend") == 2
    store.close()
    assert stored(tmp_path) == {"b": "a friend", "c": "", "d": "a friend"}


def test_an_alert_does_not_wait_for_the_disk(opener: Opener) -> None:
    store = opener()
    locked: list[str] = []
    store.on_alert(lambda r, _: locked.append(r.uid))
    store._reads._open_file = lambda file: (_ for _ in ()).throw(StoreError("the disk is full"))
    store._reads.close()
    for _ in range(2):
        with pytest.raises(StoreError):
            store.save(read("a", "B123XYZ"))
    store.close()
    assert locked == ["a"]


def test_only_the_latest_alerts_are_kept(opener: Opener) -> None:
    store = opener()
    for n in range(8):
        store.save(read(f"t{n}", "B123XYZ"))
    assert [a.uid for a in store.alerts()] == ["t3", "t4", "t5", "t6", "t7"]
    store.close()


def test_an_ignored_plate_is_neither_stored_nor_shown_nor_told(opener: Opener, tmp_path: Path) -> None:
    with web_server(Inbox()) as inbox:
        store = opener({"webhooks": [inbox.url]})
        shown: set[str] = set()
        store.listen(lambda r: shown.add(r.uid), shown.discard)
        store.save(read("a", "OWN12"))  # not enough of it yet
        store.save(read("a", "OWN1234"))
        store.save(read("b", "OWN1234"))
        store.save(replace(read("c", "A999AAA"), ended=True))
        events = inbox.wait_for(4)
        store.close()
    assert shown == {"c"}
    assert set(stored(tmp_path)) == {"c"}
    assert [(e["track"], e["kind"]) for e in events] == [("a", "new"), ("a", "end"), ("c", "new"), ("c", "end")]
    assert "OWN1234" not in str(events)
    assert store.hides("own 1234")
    assert not store.hides("A999AAA")


def test_ignored_plates_can_be_kept_but_are_not_told(opener: Opener, tmp_path: Path) -> None:
    with web_server(Inbox()) as inbox:
        store = opener({"webhooks": [inbox.url]}, store_ignored=True)
        store.save(read("b", "OWN1234"))
        store.save(read("c", "A999AAA"))
        (event,) = inbox.wait_for(1)
        assert not store.hides("OWN1234")
        assert store.alerts() == ()
        store.close()
    assert event["track"] == "c"
    assert stored(tmp_path) == {"b": "OWN1234", "c": ""}


def test_old_reads_go_as_a_drive_begins(opener: Opener, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    store = opener(keep_days=7)
    for uid, days in (("old", 8), ("young", 6)):
        seen = now - timedelta(days=days)
        store.save(replace(read(uid, "A111AAA"), first_seen=seen, last_seen=seen))
    store.begin_drive(DriveStart("d", now))
    store.close()
    assert set(stored(tmp_path)) == {"young"}
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [d.source for d in library.drives()] == ["road.mp4"]


def test_what_is_wrong_with_the_file_and_with_events_is_said(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "reads.db").write_bytes(bytes(8192))
    store = opener({"webhooks": ["http://127.0.0.1:9/"], "max_waiting": 1})
    for n in range(3):
        store.save(read(f"t{n}", "A111AAA"))
    store._next_count_s = 0.0
    store.tend()
    status = store.status()
    store.close()
    assert "is damaged" in status.notice
    assert (status.events_waiting, status.events_dropped) == (1, 2)


def test_a_drive_goes_on_in_the_file_that_takes_the_place_of_another(opener: Opener, tmp_path: Path) -> None:
    store = opener()
    store.begin_drive(DriveStart("d", START))
    for file in list(tmp_path.glob("reads.db*")):
        file.unlink()
    store.save(replace(read("t", "A111AAA"), drive="d"))
    store.close()
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [(d.uid, d.source, d.reads) for d in library.drives()] == [("d", "road.mp4", 1)]


def test_times_are_corrected_through_it(opener: Opener, tmp_path: Path) -> None:
    store = opener()
    store.begin_drive(DriveStart("d", START))
    store.save(replace(read("t", "A111AAA"), drive="d"))
    store.correct_times("d", timedelta(hours=1), UtcSource.GPS)
    store.end_drive("d", START + timedelta(hours=2))
    store.close()
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert library.find(ReadFilter())[0].first_seen == START + timedelta(hours=1)


def test_where_plates_are_hashed_none_is_written_down_or_sent(
    opener: Opener, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "key").write_text("0123456789abcdef")
    (tmp_path / "nameless.yaml").write_text("[A111AAA, B123XYZ]")
    with web_server(Inbox()) as inbox, caplog.at_level(logging.DEBUG, "edge_client"):
        store = opener({"webhooks": [inbox.url]}, hash_key_file=tmp_path / "key", known_file=tmp_path / "nameless.yaml")
        store.save(read("t"))
        events = inbox.wait_for(2)
        store.close()
    assert [event["kind"] for event in events] == ["new", "alert"]
    assert events[1]["known"]["name"] == "plate 2 of your list"
    assert events[1]["plate"] == PlateSecret(b"0123456789abcdef").digest("B123XYZ")
    written = b"".join(file.read_bytes() for file in tmp_path.glob("reads.db*"))
    assert "B123XYZ" not in f"{events} {caplog.text} {written!r}"


@pytest.mark.parametrize("key", ["known_file", "hash_key_file"])
def test_missing_files_are_refused_before_anything_is_opened(opener: Opener, tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="none"):
        opener(**{key: tmp_path / "none"})
    assert not (tmp_path / "reads.db").exists()


@pytest.mark.parametrize("live", ["hashed", "plain"])
def test_with_hashing_screens_and_listeners_get_hashes_unless_the_owner_wants_texts(tmp_path: Path, live: str) -> None:
    known, secret = tmp_path / "known.yaml", tmp_path / "secret"
    known.write_text("- {plate: B123XYZ, name: a friend}", encoding="utf-8")
    secret.write_text("0123456789abcdef0123", encoding="utf-8")
    settings = {"reads": {"known_file": known, "hash_key_file": secret}, "privacy": {"live_texts": live}}
    store = open_drive_store(EdgeSettings.model_validate(settings), tmp_path / "reads.db")
    heard: list[TrackRead] = []
    store.listen(heard.append)
    store.on_alert(lambda r, known: heard.append(r))
    store.save(read("a", "B123XYZ", singles=(single(1),)))
    store.close()
    digest = PlateSecret.load(secret).digest("B123XYZ")
    assert len(heard) == 2
    for told in heard:
        if live == "plain":
            assert (told.text, told.hashed, bool(told.crop_jpeg)) == ("B123XYZ", False, True)
        else:
            assert (told.text, told.hashed) == (digest, True)
            assert (told.crop_jpeg, told.singles, told.character_confidences) == (b"", (), ())
    shown = "B123XYZ" if live == "plain" else f"#{digest[:8]}"
    assert store.named("b 123 xyz").replace(" ", "").upper() == shown.upper()
    assert [(alert.text, alert.name) for alert in store.alerts()] == [(shown, "a friend")]
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [r.text for r in library.find(ReadFilter())] == [digest]


def test_without_hashing_nothing_is_hidden(opener: Opener) -> None:
    store = opener()
    assert store.named("B123XYZ") == "B123XYZ"
    store.close()
