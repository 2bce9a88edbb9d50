"""What the first bytes of a picture tell."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from cloud_apis import png
from cloud_apis.errors import ApiError
from cloud_apis.images import decode_grey, inspect
from cloud_apis.picture_header import HeaderLook, jpeg_size
from tests.cloud_apis.pictures import encoded, grey_jpeg, png_chunk, png_header, scene

HEADER = png.MAGIC + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 64, 8, 0, 0, 0, 0))
ROWS = zlib.compress((b"\0" + b"\x80" * 96) * 64)
END = png_chunk(b"IEND", b"")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + b"\0" * 3000}])
def test_a_jpegs_size_is_that_of_its_decoder(options: dict[str, object]) -> None:
    data = encoded(Image.new("RGB", (123, 45)), "JPEG", **options)
    assert jpeg_size(data) == (123, 45)
    assert jpeg_size(data[:20]) is None
    for end in range(len(data)):
        assert jpeg_size(data[:end]) in (None, (123, 45))


@pytest.mark.parametrize("data", [grey_jpeg(scene()), encoded(Image.new("L", (64, 40)), "PNG")])
def test_a_picture_passes_in_pieces_of_any_size(data: bytes) -> None:
    for step in (1, 7, 100, len(data)):
        look = HeaderLook()
        for at in range(0, len(data), step):
            look(data[at : at + step])


@pytest.mark.parametrize(
    ("data", "status"),
    [(png_header(65_500, 65_500), 413), (png_header(0, 5), 400), (b"GIF89a of old", 400), (b"\0" * 8, 400)],
)
def test_what_would_be_refused_is_refused_at_once(data: bytes, status: int) -> None:
    look = HeaderLook()
    with pytest.raises(ApiError) as caught:
        for at in range(len(data)):
            look(data[at : at + 1])
    assert caught.value.status == status


def refused(data: bytes) -> str:
    with pytest.raises(ApiError) as caught:
        inspect(data)
    assert caught.value.status == 400
    return caught.value.message


def test_a_png_that_unpacks_to_more_than_its_header_says_is_refused() -> None:
    assert inspect(HEADER + png_chunk(b"IDAT", ROWS) + END)
    bomb = png_chunk(b"IDAT", zlib.compress(bytes(3_000_000), 9))
    assert "more pixels" in refused(HEADER + bomb + END)
    assert "unpacked" in refused(HEADER + png_chunk(b"IDAT", b"no zlib") + END)
    assert "chunks" in refused(HEADER + png_chunk(b"IDAT", b"") * 20_000 + END)


def test_packed_texts_never_reach_the_decoder() -> None:
    text = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000), 9))
    data = HEADER + text + png_chunk(b"IDAT", ROWS) + END
    assert b"zTXt" not in png.still(data)
    assert decode_grey(data, inspect(data)).shape == (64, 96)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_holds_what_its_header_says(mode: str) -> None:
    for size in ((1, 1), (7, 9), (64, 41)):
        assert inspect(encoded(Image.new(mode, size), "PNG"))


def test_an_interlaced_png_is_taken() -> None:
    rows = b"".join((b"\0" + b"\x55" * w) * h for w, h in ((2, 1), (1, 1), (3, 1), (2, 2), (5, 2), (4, 4), (9, 3)))
    header = png.MAGIC + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 7, 8, 0, 0, 0, 1))
    data = header + png_chunk(b"IDAT", zlib.compress(rows)) + END
    assert Image.open(io.BytesIO(data)).size == (9, 7)
    assert inspect(data).width_px == 9
    assert "more pixels" in refused(header + png_chunk(b"IDAT", zlib.compress(rows + b"\0")) + END)
