"""Pictures that are there twice: byte for byte, or as another size or compression of the same picture.

The first in the manifest's order stays. Alike pictures are found by bands: two `phash` of 8 bytes that differ in up to
6 bits have two bytes in common, whichever. For each choice of two bytes SQLite sorts by them on the disk, so that only
the pictures that share them are in memory at a time. Of pictures with equal fingerprints the first alone is compared:
the others are like what it is like.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from tools.dataset.manifest import Manifest

BANDS = tuple(combinations(range(8), 2))
"""Places of the two bytes; 28."""
_ROWS = 512
_ALIKE = "it looks like an earlier picture"
_IN = "SELECT l.file FROM looks l JOIN files f ON f.id = l.file WHERE f.out_by IS NULL"


@dataclass(frozen=True, slots=True)
class Alike:
    """How many bits two fingerprints of the same picture may differ in, and how far their proportions."""

    phash_bits: int = 8
    dhash_bits: int = 20
    proportions: float = 0.04


def sort_out_exact(manifest: Manifest) -> int:
    """Sorts out all pictures whose bytes are those of an earlier one; how many."""
    with manifest.transaction() as db:
        db.execute("CREATE INDEX IF NOT EXISTS looks_sha256 ON looks(sha256)")
        found = db.execute(
            f"""INSERT OR REPLACE INTO results(step, file, action, reason, detail, other)
                SELECT 'repair', l.file, 'out', 'duplicate', 'its bytes are those of an earlier picture', g.first
                FROM looks l JOIN (
                    SELECT sha256, MIN(file) AS first FROM looks WHERE file IN ({_IN}) GROUP BY sha256
                    HAVING COUNT(*) > 1
                ) g ON g.sha256 = l.sha256
                JOIN files f ON f.id = l.file
                WHERE l.file > g.first AND f.out_by IS NULL"""
        ).rowcount
        _close_out(db)
    return found


def sort_out_alike(manifest: Manifest, alike: Alike, progress: Callable[[int], object]) -> int:
    """Sorts out pictures that look like an earlier one that stays; how many. ``progress`` hears of each of `BANDS`.

    What is like a picture that went out itself, but unlike all that stay, stays.
    """
    for table in ("near", "equals"):
        manifest.db.execute(f"DROP TABLE IF EXISTS {table}")
    manifest.db.execute("CREATE TABLE near(later INTEGER, earlier INTEGER, PRIMARY KEY(later, earlier)) WITHOUT ROWID")
    manifest.db.execute("CREATE TABLE equals(file INTEGER PRIMARY KEY, first INTEGER NOT NULL)")
    with manifest.transaction() as db:
        db.execute(
            "INSERT INTO equals SELECT file, first FROM (SELECT l.file AS file, MIN(l.file) OVER "
            "(PARTITION BY l.phash, l.dhash, 1.0 * l.width / l.height) AS first "
            "FROM looks l JOIN files f ON f.id = l.file WHERE f.out_by IS NULL) WHERE file > first"
        )
    for band in BANDS:
        with manifest.reading() as reader, manifest.transaction() as db:
            for bucket in _buckets(reader, band):
                db.executemany("INSERT OR IGNORE INTO near VALUES(?, ?)", _pairs(bucket, alike, band))
        progress(1)
    found = 0
    with manifest.reading() as reader, manifest.transaction() as db:
        pairs = reader.execute("SELECT later, earlier FROM near ORDER BY later, earlier")
        for later, group in groupby(pairs, key=itemgetter(0)):
            stays = next((earlier for _, earlier in group if not _is_out(db, earlier)), None)
            if stays is not None:
                db.execute(
                    "INSERT OR REPLACE INTO results(step, file, action, reason, detail, other) "
                    "VALUES('repair', ?, 'out', 'alike', ?, ?)",
                    (later, _ALIKE, stays),
                )
                db.execute("UPDATE files SET out_by = 'repair' WHERE id = ?", (later,))
                found += 1
        found += db.execute(
            f"""INSERT OR REPLACE INTO results(step, file, action, reason, detail, other)
                SELECT 'repair', e.file, 'out', 'alike', '{_ALIKE}', COALESCE(r.other, e.first) FROM equals e
                LEFT JOIN results r ON r.step = 'repair' AND r.file = e.first AND r.action = 'out'"""
        ).rowcount
        db.execute("UPDATE files SET out_by = 'repair' WHERE id IN (SELECT file FROM equals)")
    for table in ("near", "equals"):
        manifest.db.execute(f"DROP TABLE {table}")
    return found


def _is_out(db: sqlite3.Connection, number: int) -> bool:
    return db.execute("SELECT out_by FROM files WHERE id = ?", (number,)).fetchone()[0] is not None


def _close_out(db: sqlite3.Connection) -> None:
    db.execute(
        "UPDATE files SET out_by = 'repair' WHERE out_by IS NULL AND id IN "
        "(SELECT file FROM results WHERE step = 'repair' AND action = 'out')"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Bucket:
    """Pictures with a band in common, in order: numbers (n,), bits uint64 (n,) and (n, 4), width over height."""

    ids: NDArray[np.int64]
    phash: NDArray[np.uint64]
    dhash: NDArray[np.uint64]
    proportions: NDArray[np.float64]


def _buckets(reader: sqlite3.Connection, band: tuple[int, int]) -> Iterator[_Bucket]:
    first, second = (f"((l.phash >> {8 * place}) & 255)" for place in band)
    rows = reader.execute(
        f"SELECT {first} * 256 + {second} AS band, l.file, l.phash, l.dhash, l.width, l.height "
        "FROM looks l JOIN files f ON f.id = l.file WHERE f.out_by IS NULL "
        "AND NOT EXISTS(SELECT 1 FROM equals e WHERE e.file = l.file) ORDER BY band, l.file"
    )
    for _, group in groupby(rows, key=itemgetter(0)):
        of_band = list(group)
        if len(of_band) > 1:
            yield _Bucket(
                np.array([row[1] for row in of_band], np.int64),
                np.array([row[2] for row in of_band], np.int64).view(np.uint64),
                np.frombuffer(b"".join(row[3] for row in of_band), np.uint64).reshape(-1, 4),
                np.array([row[4] / row[5] for row in of_band]),
            )


def _pairs(bucket: _Bucket, alike: Alike, band: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """Alike pictures of which the band's are the first two bytes in common: each pair comes up in one band alone."""
    count = len(bucket.ids)
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        close = np.bitwise_count(bucket.phash[rows, None] ^ bucket.phash[None, :]) <= alike.phash_bits
        later, earlier = np.nonzero(close)
        later += start
        later, earlier = later[earlier < later], earlier[earlier < later]
        bits = np.bitwise_count(bucket.dhash[later] ^ bucket.dhash[earlier]).sum(axis=1)
        ratio = bucket.proportions[later] / bucket.proportions[earlier]
        differ = bucket.phash[later] ^ bucket.phash[earlier]
        equal = differ.astype("<u8").view(np.uint8).reshape(-1, 8) == 0
        count_equal = equal.cumsum(axis=1)
        first = equal[:, band[0]] & (count_equal[:, band[0]] == 1) & equal[:, band[1]] & (count_equal[:, band[1]] == 2)
        same = first & (bits <= alike.dhash_bits) & (np.abs(np.log(ratio)) <= alike.proportions)
        yield from zip(bucket.ids[later[same]].tolist(), bucket.ids[earlier[same]].tolist(), strict=True)
