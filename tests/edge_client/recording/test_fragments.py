"""Packets become a file that plays at every cut up to its last whole fragment."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from edge_client.displays.mp4 import cut_to_whole_fragments
from edge_client.recording.fragments import Mp4Fragments
from edge_client.recording.playable import playable_s
from tests.edge_client.recording.samples import packets, times


def test_packets_keep_their_times(tmp_path: Path) -> None:
    """Cameras do not keep a constant rate; a frame that comes too early is moved, not dropped."""
    path = tmp_path / "a.mp4"
    moments = [0.0, 0.1, 0.15, 0.15, 0.9, 3.0, 3.01]
    given = packets(len(moments))
    fragments = Mp4Fragments(given[0].video_format, 50.0)
    with path.open("wb") as file:
        for packet, moment in zip(given, moments, strict=True):
            moved = type(packet)(packet.data, 50.0 + moment, packet.keyframe, packet.video_format)
            file.write(fragments.add(moved))
        file.write(fragments.finish())
    assert times(path) == pytest.approx([0.0, 0.1, 0.15, 0.151, 0.9, 3.0, 3.01], abs=0.0006)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.width, stream.codec_context.height) == ("h264", 64, 36)


def test_it_plays_at_every_cut(tmp_path: Path) -> None:
    given = packets(90)
    fragments = Mp4Fragments(given[0].video_format, given[0].monotonic_s)
    content, whole = b"", []
    for number, packet in enumerate(given):
        out = fragments.add(packet)
        content += out
        if out:
            whole.append((len(content), number / 30))
    assert [seconds for _, seconds in whole] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5])
    path = tmp_path / "cut.mp4"
    for size in (*(size for size, _ in whole), *range(0, len(content), max(len(content) // 40, 1))):
        path.write_bytes(content[:size])
        complete_s = max((seconds for end, seconds in whole if end <= size), default=0.0)
        assert cut_to_whole_fragments(path) == round(2 * complete_s)
        assert playable_s(path) == pytest.approx(complete_s, abs=0.001)


def test_what_is_no_video_does_not_play(tmp_path: Path) -> None:
    path = tmp_path / "none.mp4"
    with pytest.raises(FileNotFoundError):
        playable_s(path)
    for content in (b"", b"\0" * 4096, b"no video at all" * 100):
        path.write_bytes(content)
        assert playable_s(path) == 0.0
