"""The stream: encoded once for all, newest first, and only for viewers."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge_client.displays.web.stream import PictureStream
from edge_client.types import Image
from tests.edge_client.samples import picture


class CountingStream(PictureStream):
    """Counts how often it encodes."""

    encoded = 0

    def _encode(self, image: Image) -> bytes:
        self.encoded += 1
        return super()._encode(image)


@pytest.fixture
def stream() -> CountingStream:
    return CountingStream(width_px=160, jpeg_quality=75, max_rate_hz=200.0, max_viewers=2)


def decode(jpeg: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_nothing_is_encoded_without_a_viewer(stream: CountingStream) -> None:
    for n in range(20):
        stream.publish(picture(value=n))
    assert stream.encoded == 0


def test_a_viewer_gets_the_newest_picture_reduced(stream: CountingStream) -> None:
    for n in range(20):
        stream.publish(picture(320, 180, value=10 * n))
    with stream.viewer() as welcome:
        assert welcome
        answer = stream.next_jpeg(0)
    assert answer is not None
    serial, jpeg = answer
    assert serial == 20
    assert decode(jpeg).shape == (90, 160, 3)
    assert decode(jpeg).mean() == pytest.approx(190, abs=2)


def test_small_pictures_are_not_enlarged(stream: CountingStream) -> None:
    stream.publish(picture(100, 50))
    answer = stream.next_jpeg(0)
    assert answer is not None
    assert decode(answer[1]).shape == (50, 100, 3)


def test_two_viewers_share_one_encoding_and_a_third_is_turned_away(stream: CountingStream) -> None:
    with stream.viewer() as first, stream.viewer() as second, stream.viewer() as third:
        assert (first, second, third) == (True, True, False)
        assert stream.viewers == 2
        stream.publish(picture())
        assert stream.next_jpeg(0) == stream.next_jpeg(0)
    assert stream.encoded == 1
    assert stream.viewers == 0


def test_a_viewer_waits_for_the_next_picture(stream: CountingStream) -> None:
    with stream.viewer():
        stream.publish(picture(value=10))
        first = stream.next_jpeg(0)
        assert first is not None
        publish = threading.Timer(0.05, lambda: stream.publish(picture(value=200)))
        publish.start()
        second = stream.next_jpeg(first[0])
        publish.join()
    assert second is not None
    assert second[0] == first[0] + 1
    assert decode(second[1]).mean() > 150


def test_without_a_new_picture_the_last_one_comes_again(stream: CountingStream) -> None:
    with stream.viewer():
        assert stream.next_jpeg(0, timeout_s=0.01) == (0, b"")
        stream.publish(picture())
        first = stream.next_jpeg(0)
        assert first is not None
        assert stream.next_jpeg(first[0], timeout_s=0.01) == first
    assert stream.encoded == 1


def test_who_comes_later_does_not_get_an_old_picture(stream: CountingStream) -> None:
    with stream.viewer():
        stream.publish(picture(value=10))
        stream.next_jpeg(0)
    stream.publish(picture(value=200))
    with stream.viewer():
        answer = stream.next_jpeg(0)
    assert answer is not None
    assert decode(answer[1]).mean() > 150


@pytest.mark.parametrize("early", [True, False])
def test_closing_ends_every_viewer(stream: CountingStream, early: bool) -> None:
    ended: list[object] = []
    action: Callable[[], None] = lambda: ended.append(stream.next_jpeg(0, timeout_s=60.0))  # noqa: E731
    viewer = threading.Thread(target=action)
    if early:
        stream.close()
    viewer.start()
    stream.close()
    viewer.join(30)
    assert ended == [None]
    with stream.viewer() as welcome:
        assert not welcome


def test_the_rate_is_bounded_for_all_viewers_together() -> None:
    stream = CountingStream(width_px=160, jpeg_quality=75, max_rate_hz=0.001)
    with stream.viewer():
        stream.publish(picture())
        first = stream.next_jpeg(0)
        assert first is not None
        for n in range(5):
            stream.publish(picture(value=n))
            assert stream.next_jpeg(first[0], timeout_s=0.005) == first
    assert stream.encoded == 1
