"""The bombs, as the bytes that are sent."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tools.faults.fuzz.samples import PNG_MAGIC, drawn, encoded, jpegs, png_chunk

MOST_REFUSAL_S: Final = 0.05
_SIDE_PX: Final = 65_500
_MUCH: Final = 256 * 2**20
_JPEG: Final = "Content-Type: image/jpeg"
_FORM: Final = "Content-Type: multipart/form-data; boundary=xx"
_PART: Final = b'--xx\r\nContent-Disposition: form-data; name="imgs"; filename="a"\r\n\r\nx\r\n'
_CHUNKED: Final = "Transfer-Encoding: chunked"


@dataclass(frozen=True, slots=True)
class Bomb:
    """What is sent until it can be told for what it is; then the client waits, without having ended the request.

    ``pieces`` go out one after the other, the last one, which tells, when the server had time to read the others.
    ``after_s``: when it can be told by the clock alone, seconds after the first piece; ``drip_s``: the pause before
    each further piece. ``statuses``: answers that are right; ``within_s``: how soon they are to come.
    """

    name: str
    pieces: tuple[bytes, ...]
    statuses: tuple[int, ...]
    after_s: float | None = None
    drip_s: float = 0.0
    within_s: float = MOST_REFUSAL_S


def head(path: str, *lines: str) -> bytes:
    """A request's head."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def bombs(body_timeout_s: float) -> Iterator[Bomb]:
    """All of them, for a server with that setting."""
    yield Bomb("JPEG header of 65,500 px square", (_withheld(jpeg_header(_SIDE_PX, _SIDE_PX)),), (413,))
    yield Bomb("PNG header of 65,500 px square", (_withheld(png_header(_SIDE_PX, _SIDE_PX)),), (413,))
    surplus, text = _png(b"IDAT", _zeros()), _png(b"zTXt", b"a\0\0" + _zeros())
    yield Bomb("PNG with 256 MB behind its pixels", (_whole("/yolov3", "image/png", surplus),), (400,))
    crumbs = PNG_MAGIC + png_header(96, 64)[8:] + png_chunk(b"IDAT", b"") * 80_000
    yield Bomb("PNG of 80,000 empty chunks", (_whole("/yolov3", "image/png", crumbs),), (400,))
    # The picture itself is whole: what is not needed is never unpacked.
    yield Bomb("PNG with 256 MB of packed text", (_whole("/yolov3", "image/png", text),), (200,), within_s=1.0)
    packed = gzip.compress(bytes(_MUCH), 9, mtime=0)
    yield Bomb("gzip of 256 MB by Content-Encoding", (_packed("gzip", packed),), (415,))
    yield Bomb("the same, packed twice", (_packed("gzip, gzip", gzip.compress(packed)),), (415,))
    yield Bomb("form of 1,000 parts", (head("/crnn", _FORM, "Content-Length: 99000") + _PART * 66,), (413,))
    yield Bomb("form that never ends", tuple(_endless_form()), (413,))
    drip = (head("/yolov3", _JPEG, "Content-Length: 100000") + jpegs()[0][:50], *([b"\xff"] * 1000))
    yield Bomb("upload a byte at a time", drip, (408,), after_s=body_timeout_s, drip_s=0.02)
    lines = b"".join(b"X-%d: %s\r\n" % (i, b"y" * 60) for i in range(1100))
    yield Bomb("flood of headers", (b"POST /yolov3 HTTP/1.1\r\nHost: x\r\n" + lines,), (431,))
    yield Bomb("header that never ends", (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000,), (431,))
    yield Bomb("path that never ends", (b"GET /" + b"y" * 70_000,), (431,))
    trailers = b"0\r\n" + lines
    yield Bomb("flood of trailers", (head("/crnn", _FORM, _CHUNKED) + trailers,), (431, 400))
    extension = (head("/crnn", _FORM, _CHUNKED) + b"1;", b"x" * 60_000, b"x" * 140_000)
    yield Bomb("chunk with an endless extension", extension, (431, 400))


def jpeg_header(width_px: int, height_px: int) -> bytes:
    """A small JPEG that claims other sides."""
    data = jpegs()[1]
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height_px, width_px) + data[at + 9 :]


def png_header(width_px: int, height_px: int) -> bytes:
    """A PNG's header that claims sides."""
    return PNG_MAGIC + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0))


def _zeros() -> bytes:
    return zlib.compress(bytes(_MUCH), 9)


def _png(kind: bytes, packed: bytes) -> bytes:
    """A small PNG in which the chunks of that kind are these bytes."""
    rows = packed if kind == b"IDAT" else zlib.compress((b"\0" + b"\x80" * 96) * 64)
    header = PNG_MAGIC + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 64, 8, 0, 0, 0, 0))
    extra = b"" if kind == b"IDAT" else png_chunk(kind, packed)
    return header + extra + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def _withheld(start: bytes) -> bytes:
    """The beginning of an upload whose rest does not come."""
    kind = _JPEG if start.startswith(b"\xff\xd8") else "Content-Type: image/png"
    return head("/yolov3", kind, "Content-Length: 2000000") + start


def _whole(path: str, kind: str, body: bytes) -> bytes:
    return head(path, f"Content-Type: {kind}", f"Content-Length: {len(body)}") + body


def _packed(encoding: str, body: bytes) -> bytes:
    lines = ("Content-Type: application/json", f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}")
    return head("/yolov3", *lines) + body


def _endless_form() -> Iterator[bytes]:
    """Parts without an end, in chunks: one megabyte after the other, a little more than are taken."""
    yield head("/crnn", _FORM, _CHUNKED)
    first = _PART[:-3]
    yield b"%x\r\n%s\r\n" % (len(first), first)
    for _ in range(33):
        yield b"%x\r\n%s\r\n" % (2**18, b"z" * 2**18)


def picture() -> bytes:
    """A request without a flaw."""
    return encoded(drawn(416, 234).convert("L"), "JPEG", quality=60)
