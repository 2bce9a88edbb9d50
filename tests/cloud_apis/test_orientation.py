"""EXIF orientation: what Pillow writes is read, and no garbage does harm."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cloud_apis.orientation import jpeg_orientation, swaps_sides, tiff_orientation, upright

EXIF = b"Exif\0\0"


def jpeg(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def tiff(order: str, *entries: tuple[int, int, int, int]) -> bytes:
    """EXIF data of one directory: tag, type, count and value of each entry."""
    directory = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        held = struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
        directory += struct.pack(f"{order}HHI", tag, kind, count) + held
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8) + directory


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_pillow_writes_is_read(orientation: int) -> None:
    assert jpeg_orientation(jpeg(orientation)) == orientation


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_both_byte_orders_and_number_types(order: str, kind: int) -> None:
    assert tiff_orientation(tiff(order, (0x010F, 2, 3, 0), (0x0112, kind, 1, 8))) == 8


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"XX*\0" + tiff("<", (0x0112, 3, 1, 6))[4:],
        tiff("<", (0x0112, 3, 1, 0)),
        tiff("<", (0x0112, 3, 1, 9)),
        tiff("<", (0x0112, 3, 2, 6)),
        tiff("<", (0x0112, 2, 1, 6)),
        tiff("<", (0x0112, 3, 1, 6))[:-4],
        tiff("<", *[(0x0100, 3, 1, 6)] * 256, (0x0112, 3, 1, 6)),
        b"II*\0\xff\xff\xff\xff",
    ],
)
def test_what_is_not_valid_counts_as_upright(exif: bytes) -> None:
    assert tiff_orientation(exif) == 1


def test_only_what_stands_before_the_scan_counts() -> None:
    data = jpeg(6)
    segment = (
        b"\xff\xe1" + struct.pack(">H", 8 + len(tiff(">", (0x0112, 3, 1, 3)))) + EXIF + tiff(">", (0x0112, 3, 1, 3))
    )
    assert jpeg_orientation(b"\xff\xd8" + segment + data[2:]) == 3  # the first one counts
    assert jpeg_orientation(b"\xff\xd8\xff\xff" + segment + b"\xff\xd9") == 3  # after a fill byte
    plain = io.BytesIO()
    Image.new("L", (8, 8)).save(plain, "JPEG")
    assert jpeg_orientation(plain.getvalue()[:-2] + segment + b"\xff\xd9") == 1
    assert jpeg_orientation(b"\xff\xd8" + b"\xff\xe0\0\2" * 100 + segment) == 1


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff\xe1\x00\x60" + EXIF, b"II*\0", b"MM\0*\0\0\0\x08"])
)
def test_any_bytes_give_an_orientation(rest: bytes, start: bytes) -> None:
    assert 1 <= jpeg_orientation(start + rest) <= 8
    assert 1 <= tiff_orientation(start + rest) <= 8


@given(st.integers(0, 400), st.integers(0, 255))
def test_damage_gives_an_orientation(place: int, value: int) -> None:
    data = bytearray(jpeg(6))
    data[place % len(data)] = value
    assert 1 <= jpeg_orientation(bytes(data)) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_needs_no_colours_and_keeps_all_pixels(orientation: int) -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    turned = upright(image, orientation)
    assert turned.shape == ((3, 2) if swaps_sides(orientation) else (2, 3))
    assert sorted(turned.ravel()) == list(range(6))
    assert (upright(np.dstack([image] * 3), orientation)[:, :, 0] == turned).all()
