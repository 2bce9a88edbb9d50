"""Step `split`: train, val and test by listing: all pictures of a listing lie on one side.

Listings come in an order that depends on nothing but their name and the seed; each goes to the part that lacks most of
its share of the class's pictures. The same catalogue therefore gives the same parts on any machine.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from tools.dataset.errors import UsageError
from tools.dataset.manifest import Manifest

STEP = "split"
PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Plan:
    """Shares of train, val and test in percent; classes with fewer pictures or listings than the least are left out."""

    shares: tuple[int, int, int] = (70, 15, 15)
    least_pictures: int = 100
    seed: int = 7

    @property
    def least_listings(self) -> int:
        """Every part that has a share needs a listing."""
        return sum(share > 0 for share in self.shares)


def parse_shares(text: str) -> tuple[int, int, int]:
    """Read ``70/15/15``; raises UsageError."""
    try:
        train, val, test = (int(part) for part in text.split("/"))
    except ValueError as error:
        raise UsageError(f"{text!r} are no shares of train, val and test: write 70/15/15") from error
    if train <= 0 or min(val, test) < 0 or train + val + test != 100:
        raise UsageError(f"the shares {text} of train, val and test must sum to 100, train more than 0")
    return train, val, test


def to_split(manifest: Manifest) -> int:
    """How many pictures a split has to share out: every run takes all anew, for classes may have grown."""
    return manifest.count("f.class IS NOT NULL AND (f.out_by IS NULL OR f.out_by = ?)", STEP)


def split(
    manifest: Manifest, plan: Plan, again: bool = False, progress: Callable[[int], object] = lambda _: None
) -> dict[str, int]:
    """Gives every picture that is in and has a class its part; pictures of each part.

    One transaction: a split is there as a whole or not at all, so that one that was cut off begins anew.
    """
    settings = {"shares": list(plan.shares), "least_pictures": plan.least_pictures, "seed": plan.seed}
    manifest.begin(STEP, settings, again)
    with manifest.reading() as reader, manifest.transaction() as db:
        db.execute("DROP TABLE IF EXISTS listings")
        db.execute("CREATE TABLE listings(listing TEXT PRIMARY KEY, part TEXT NOT NULL) WITHOUT ROWID")
        # The parts of listings that an earlier run of this step has settled stay: more pictures move none.
        db.execute("INSERT OR IGNORE INTO listings SELECT listing, part FROM files WHERE part IS NOT NULL")
        # Classes that were too small once may have grown. The reader does not see yet that they are back.
        db.execute("UPDATE files SET out_by = NULL WHERE out_by = ?", (STEP,))
        db.execute("DELETE FROM results WHERE step = ? AND action = 'out'", (STEP,))
        rows = reader.execute(
            f"SELECT class, listing, COUNT(*) FROM files WHERE (out_by IS NULL OR out_by = '{STEP}') "
            "AND class IS NOT NULL GROUP BY class, listing"
        )
        for name, group in groupby(rows, key=itemgetter(0)):
            listings = [(listing, count) for _, listing, count in group]
            progress(sum(count for _, count in listings))
            reason = _too_few(listings, plan)
            if reason is not None:
                _leave_out(db, name, reason)
                continue
            settled = {
                listing: row[0]
                for listing, _ in listings
                if (row := db.execute("SELECT part FROM listings WHERE listing = ?", (listing,)).fetchone())
            }
            db.executemany("INSERT OR IGNORE INTO listings VALUES(?, ?)", share_out(listings, plan, settled))
        db.execute(
            "UPDATE files SET part = (SELECT part FROM listings g WHERE g.listing = files.listing) "
            "WHERE out_by IS NULL AND class IS NOT NULL"
        )
        db.execute(
            "INSERT OR REPLACE INTO results(step, file, action, reason) "
            f"SELECT '{STEP}', id, 'kept', part FROM files WHERE out_by IS NULL AND part IS NOT NULL"
        )
        db.execute("DROP TABLE listings")
    manifest.finish(STEP)
    counted = manifest.db.execute("SELECT part, COUNT(*) FROM files WHERE part IS NOT NULL GROUP BY part")
    return dict(counted.fetchall())


def share_out(
    listings: Sequence[tuple[str, int]], plan: Plan, settled: dict[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """The part of each listing (name, number of pictures) of a class; ``settled`` ones count, and stay."""
    total = sum(count for _, count in listings)
    lacking = {part: share * total / 100 for part, share in zip(PARTS, plan.shares, strict=True) if share}
    settled = settled or {}
    for listing, count in listings:
        if settled.get(listing) in lacking:
            lacking[settled[listing]] -= count
    # A first listing for every part, so that none is empty; then each where most is lacking.
    empty = [part for part in lacking if part not in settled.values()]
    for listing, count in sorted(listings, key=lambda item: _order(item[0], plan.seed)):
        if listing in settled:
            continue
        part = empty.pop() if empty else max(lacking, key=lambda name: lacking[name])
        lacking[part] -= count
        yield listing, part


def _order(listing: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{listing}".encode("utf-8", "replace"), digest_size=16).digest()


def _too_few(listings: Sequence[tuple[str, int]], plan: Plan) -> str | None:
    if sum(count for _, count in listings) < plan.least_pictures:
        return "few pictures"
    return "few listings" if len(listings) < plan.least_listings else None


def _leave_out(db: sqlite3.Connection, name: str, reason: str) -> None:
    same = "out_by IS NULL AND class = ?"
    db.execute(
        "INSERT OR REPLACE INTO results(step, file, action, reason, detail) "
        f"SELECT '{STEP}', id, 'out', ?, ? FROM files WHERE {same}",
        (reason, f"the class {name}", name),
    )
    db.execute(f"UPDATE files SET out_by = '{STEP}', part = NULL WHERE {same}", (name,))
