"""Repairing an MP4 file whose writing was cut short, by the boxes of ISO/IEC 14496-12."""

from __future__ import annotations

import struct
from pathlib import Path

import av

_HEADER = 8


def cut_to_whole_fragments(path: Path) -> int:
    """Cuts a fragmented MP4 file after its last complete fragment (`moof` with its `mdat`).

    Returns:
        How many fragments are left; 0 means that the file holds no picture.

    Raises:
        OSError: the file cannot be read or changed.
    """
    fragments, keep = 0, 0
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        offset, in_fragment = 0, False
        while offset + _HEADER <= size:
            file.seek(offset)
            length, kind = struct.unpack(">I4s", file.read(_HEADER))
            if length == 1 and offset + 16 <= size:
                (length,) = struct.unpack(">Q", file.read(8))
            if length < _HEADER or offset + length > size:
                break  # this box is not whole
            offset += length
            if kind == b"moof":
                in_fragment = True
            elif kind == b"mdat" and in_fragment:
                fragments, keep, in_fragment = fragments + 1, offset, False
            elif kind in (b"ftyp", b"moov") and not fragments:
                keep = offset
        file.truncate(keep)
    return fragments


def count_pictures(path: Path) -> int:
    """How many pictures the first video stream of the file holds, counted without decoding.

    Raises:
        OSError: the file cannot be read (FFmpeg's errors are such).
    """
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)
