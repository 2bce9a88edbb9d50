"""The control of the power cuts: says that a read is written though nothing made it durable.

It is run as `python -m tools.faults.crash.careless FILE DRIVE`, as `tools.crash.saving` is.
"""

from __future__ import annotations

import os
import sqlite3
import sys


def save_for_ever(file: str, drive: str) -> None:
    """`+uid` for each read."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS reads (uid TEXT PRIMARY KEY, crop BLOB)")
    os.sync()  # the table itself shall be there
    for number in range(1_000_000):
        connection.execute("INSERT INTO reads VALUES (?, ?)", (f"{drive}-{number}", bytes(2000)))
        print(f"+{drive}-{number}", flush=True)


if __name__ == "__main__":
    save_for_ever(sys.argv[1], sys.argv[2])
