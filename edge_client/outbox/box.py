"""The outbox: events that wait in the reads file, queued in the transaction of the read that they tell of.

So an event is there if and only if the read is; who delivers it deletes it afterwards, which makes it delivered at
least once. Functions on an open connection, within the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a track: `kind` is new, update, end or alert; `key` is unique to the event."""

    kind: str
    key: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event on its way to one receiver; `body` is its JSON, `id` its place in the queue."""

    id: int
    kind: str
    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Mailing:
    """Who gets which kinds of events, and how many may wait for each."""

    receivers: tuple[str, ...]
    kinds: frozenset[str]
    max_waiting: int


def enqueue(connection: sqlite3.Connection, mailing: Mailing, events: Sequence[Event], queued: str) -> int:
    """Queues events for every receiver; gives how many there were. The oldest go where too many wait."""
    wanted = [e for e in events if e.kind in mailing.kinds]
    if not wanted or not mailing.receivers:
        return 0
    for receiver in mailing.receivers:
        connection.executemany(
            "INSERT INTO outbox (receiver, key, kind, queued, payload) VALUES (?, ?, ?, ?, ?)",
            [(receiver, e.key, e.kind, queued, json.dumps({"id": e.key, "kind": e.kind, **e.payload})) for e in wanted],
        )
        _bound(connection, receiver, mailing.max_waiting)
    return len(wanted)


def next_events(connection: sqlite3.Connection, receiver: str, limit: int) -> list[QueuedEvent]:
    """The oldest events of a receiver, in the order in which they happened."""
    rows = connection.execute(
        "SELECT id, kind, key, payload FROM outbox WHERE receiver = ? ORDER BY id LIMIT ?", (receiver, limit)
    )
    return [QueuedEvent(row[0], row[1], row[2], row[3].encode()) for row in rows]


def delivered(connection: sqlite3.Connection, events: Sequence[QueuedEvent]) -> None:
    """Deletes events that their receiver has."""
    connection.executemany("DELETE FROM outbox WHERE id = ?", [(e.id,) for e in events])


def give_up(connection: sqlite3.Connection, receiver: str, events: Sequence[QueuedEvent]) -> None:
    """Deletes events that their receiver will never take, and counts them."""
    delivered(connection, events)
    _count_dropped(connection, receiver, len(events))


def forget_others(connection: sqlite3.Connection, receivers: Sequence[str]) -> int:
    """Deletes what waits for receivers that are no longer configured; gives how many events that were."""
    marks = ",".join("?" * len(receivers))
    gone = connection.execute(f"DELETE FROM outbox WHERE receiver NOT IN ({marks})", tuple(receivers))  # noqa: S608
    return gone.rowcount


def waiting(connection: sqlite3.Connection) -> tuple[int, int]:
    """Events that wait, and events that were dropped so far, of all receivers."""
    (count,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    (dropped,) = connection.execute("SELECT coalesce(sum(dropped), 0) FROM receivers").fetchone()
    return int(count), int(dropped)


def _bound(connection: sqlite3.Connection, receiver: str, limit: int) -> None:
    first, last = connection.execute("SELECT min(id), max(id) FROM outbox WHERE receiver = ?", (receiver,)).fetchone()
    if last - first < limit:
        return  # there cannot be more rows than numbers
    (count,) = connection.execute("SELECT count(*) FROM outbox WHERE receiver = ?", (receiver,)).fetchone()
    if count > limit:
        connection.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE receiver = ? ORDER BY id LIMIT ?)",
            (receiver, count - limit),
        )
        _count_dropped(connection, receiver, count - limit)


def _count_dropped(connection: sqlite3.Connection, receiver: str, count: int) -> None:
    connection.execute(
        "INSERT INTO receivers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET dropped = dropped + excluded.dropped",
        (receiver, count),
    )
