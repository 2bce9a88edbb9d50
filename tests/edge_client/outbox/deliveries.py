"""Stores with receivers, and tracks whose events they get."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edge_client.config.events import EventSettings
from edge_client.outbox.office import Office, open_office
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import read


def opened(path: Path, **settings: object) -> tuple[SqliteReads, Office]:
    """A store whose events are on their way already."""
    office = open_office(EventSettings.model_validate({"timeout_s": 5.0, "max_pause_s": 0.1, **settings}), path)
    store = SqliteReads(path, mailing=office.mailing, on_events=office.wake)
    office.start()
    return store, office


def live(store: SqliteReads, uid: str) -> None:
    """A track from its first read to its end."""
    store.save(read(uid, "B123XY2", 0.6))
    store.save(read(uid, "B123XYZ", 0.9))
    store.save(replace(read(uid, "B123XYZ", 0.9), ended=True))


def kinds(events: Sequence[dict[str, object]], uid: str) -> list[object]:
    """What was told of a track, in order."""
    return [event["kind"] for event in events if event["track"] == uid]


@contextmanager
def held(path: Path, office: Office) -> Iterator[None]:
    """Nothing is delivered meanwhile, as if another process did it."""
    files = [path.with_name(f"{path.name}.{name}.lock").open("wb") for name in office.mailing.receivers]
    for file in files:
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        for file in files:
            file.close()
