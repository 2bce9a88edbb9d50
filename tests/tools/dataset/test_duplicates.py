"""Alike pictures: found across sizes and compressions, the first stays, chains do not drag strangers along."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.tools.dataset.catalogues import jpeg, scene
from tools.dataset.duplicates import Alike, sort_out_alike, sort_out_exact
from tools.dataset.hashing import dhash, phash
from tools.dataset.manifest import Manifest


def grey(data: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return picture.astype(np.uint8, copy=False)


def bits(a: int, b: int) -> int:
    return ((a ^ b) & (2**64 - 1)).bit_count()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.6, 0.8, 1.3]), st.integers(50, 95))
def test_fingerprints_survive_size_and_compression(seed: int, scale: float, quality: int) -> None:
    picture = scene(seed, 160, 120)
    other = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    first, second = grey(jpeg(picture)), grey(jpeg(np.asarray(other, np.uint8), quality))
    stranger = grey(jpeg(scene(seed + 20_000, 160, 120)))
    assert bits(phash(first), phash(second)) <= Alike().phash_bits
    assert bits(phash(first), phash(stranger)) > Alike().phash_bits
    assert len(dhash(first)) == 32


def manifest_of(folder: Path, hashes: list[tuple[int, int]]) -> Manifest:
    """A manifest with looks of these phash and dhash."""
    manifest = Manifest(folder / "manifest.sqlite")
    for i, (p, d) in enumerate(hashes):
        manifest.db.execute(
            "INSERT INTO files(id, path, size, mtime_ns, listing) VALUES(?, ?, 1, 1, '')", (i, f"{i}.jpg".encode())
        )
        signed = p - 2**64 if p >= 2**63 else p
        looks = (i, i.to_bytes(32, "big"), signed, d.to_bytes(32, "big"), 100, 75)
        manifest.db.execute("INSERT INTO looks VALUES(?, ?, ?, ?, ?, ?)", looks)
    return manifest


def out(manifest: Manifest) -> dict[int, int]:
    rows = manifest.db.execute("SELECT file, other FROM results WHERE action = 'out'")
    return dict(rows.fetchall())


def test_what_is_like_a_picture_that_went_out_stays(tmp_path: Path) -> None:
    first, second, third = 0, 0xFF, 0xFFFF  # each 8 bits from the next, 16 from the one after
    with manifest_of(tmp_path, [(first, 0), (second, 0), (third, 0), (2**64 - 1, 0)]) as manifest:
        assert sort_out_alike(manifest, Alike(), lambda _: None) == 1
        assert out(manifest) == {1: 0}


def test_the_second_fingerprint_settles_it(tmp_path: Path) -> None:
    far = (1 << 40) - 1
    with manifest_of(tmp_path, [(7, 0), (7, far), (7, 1)]) as manifest:
        assert sort_out_alike(manifest, Alike(), lambda _: None) == 1
        assert out(manifest) == {2: 0}


def test_six_bits_wherever_they_are_do_not_hide_a_picture(tmp_path: Path) -> None:
    spread = sum(1 << bit for bit in (0, 12, 20, 33, 47, 62))
    with manifest_of(tmp_path, [(0, 0), (spread, 3)]) as manifest:
        assert sort_out_alike(manifest, Alike(), lambda _: None) == 1


def test_large_buckets_are_compared_in_parts(tmp_path: Path) -> None:
    with manifest_of(tmp_path, [(0, 0)] * 700) as manifest:
        assert sort_out_alike(manifest, Alike(), lambda _: None) == 699
        assert set(out(manifest).values()) == {0}


def test_large_buckets_of_unequal_pictures_are_compared_in_parts(tmp_path: Path) -> None:
    with manifest_of(tmp_path, [(0, i) for i in range(700)]) as manifest:
        assert sort_out_alike(manifest, Alike(), lambda _: None) == 699
        assert set(out(manifest).values()) == {0}


def test_of_equal_fingerprints_one_alone_is_compared(tmp_path: Path) -> None:
    statements: list[str] = []
    with manifest_of(tmp_path, [(0, 0)] * 300 + [(1, 0)] * 300) as manifest:
        manifest.db.set_trace_callback(statements.append)
        assert sort_out_alike(manifest, Alike(), lambda _: None) == 599
        manifest.db.set_trace_callback(None)
        assert out(manifest) == dict.fromkeys(range(1, 600), 0)
        assert manifest.count("f.out_by = 'repair'") == 599
    assert sum("INTO near" in statement for statement in statements) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 0xFF, 0xFFFF, 1 << 40, 3]), st.sampled_from([0, 7, (1 << 30) - 1]))))
def test_pictures_go_out_for_the_first_like_them_that_stays(hashes: list[tuple[int, int]]) -> None:
    expected: dict[int, int] = {}
    for later, (p, d) in enumerate(hashes):
        like = (
            e
            for e, (q, c) in enumerate(hashes[:later])
            if e not in expected and bits(p, q) <= 8 and (d ^ c).bit_count() <= 20
        )
        first = next(like, None)
        if first is not None:
            expected[later] = first
    with tempfile.TemporaryDirectory() as folder, manifest_of(Path(folder), hashes) as manifest:
        assert sort_out_alike(manifest, Alike(), lambda _: None) == len(expected)
        assert out(manifest) == expected


def test_equal_bytes_are_one_picture(tmp_path: Path) -> None:
    with manifest_of(tmp_path, [(0, 0), (1 << 40, 1), (0, 0)]) as manifest:
        manifest.db.execute("UPDATE looks SET sha256 = x'00'")
        assert sort_out_exact(manifest) == 2
        assert out(manifest) == {1: 0, 2: 0}
        assert manifest.count("f.out_by = 'repair'") == 2
