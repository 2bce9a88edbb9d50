"""Plates as keyed hashes: what stands in the file, and what can still be found."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from pathlib import Path

import pytest

from edge_client.errors import ConfigError
from edge_client.outbox.box import Mailing
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.secrecy import PlateSecret, secret_of
from edge_client.store.writer import SqliteReads
from tests.edge_client.samples import read, single

KEY = b"0123456789abcdef"


def test_the_digest_is_hmac_sha_256_of_the_bare_plate() -> None:
    expected = hmac.new(KEY, b"B123XYZ", hashlib.sha256).hexdigest()
    assert PlateSecret(KEY).digest("b-123 xyz") == expected
    assert PlateSecret(KEY + b"!").digest("B123XYZ") != expected


def test_no_plate_and_no_picture_is_anywhere_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    everything = Mailing(("a",), frozenset({"new"}), 10)
    store = SqliteReads(path, secret=PlateSecret(KEY), mailing=everything)
    store.save(read("t", singles=(single(1), single(2))))
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    store.close()
    assert any(PlateSecret(KEY).digest("B123XYZ").encode() in content for content in files)
    for content in (*files, path.read_bytes()):
        assert b"B123XYZ" not in content
        assert b"\xff\xd8\xff" not in content
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM single_reads").fetchone() == (0,)
    assert connection.execute("SELECT character_confidences, length(crop) FROM reads").fetchone() == ("[]", 0)
    connection.close()


def test_whole_plates_are_found_with_the_key_beside_reads_of_before(tmp_path: Path) -> None:
    path = tmp_path / "reads.db"
    plain = SqliteReads(path)
    plain.save(read("plain"))
    plain.close()
    store = SqliteReads(path, secret=PlateSecret(KEY))
    store.save(read("hashed", seconds=10))
    store.save(read("another", "B999XYZ", seconds=20))
    store.close()
    with ReadLibrary(path, PlateSecret(KEY)) as library:
        found = library.find(ReadFilter(text="b 123 xyz"))
        assert [(r.uid, r.hashed) for r in found] == [("hashed", True), ("plain", False)]
        assert [r.uid for r in library.find(ReadFilter(text="B123*"))] == ["plain"]
        assert [r.uid for r in library.find(ReadFilter(like="B123XYZ"))] == ["plain"]
        assert library.count_hashed() == 2
    with ReadLibrary(path, PlateSecret(b"another key, just as long")) as library:
        assert [r.uid for r in library.find(ReadFilter(text="B123XYZ"))] == ["plain"]
    with ReadLibrary(path) as library:
        assert [r.uid for r in library.find(ReadFilter(text="B123XYZ"))] == ["plain"]


def test_keys_come_from_files(tmp_path: Path) -> None:
    file = tmp_path / "key"
    assert secret_of(None) is None
    file.write_bytes(KEY + b"\n")
    secret = secret_of(file)
    assert secret is not None
    assert secret.digest("A1") == PlateSecret(KEY).digest("A1")
    file.write_bytes(b"short\n")
    with pytest.raises(ConfigError, match=r"at least 16 bytes.*make one"):
        secret_of(file)
    with pytest.raises(ConfigError, match="cannot read"):
        secret_of(tmp_path / "none")
