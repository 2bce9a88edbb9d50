from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pytest

from cloud_apis.contract import PlateBox
from edge_client.blur import Blurring
from edge_client.config.privacy import PrivacySettings
from edge_client.errors import DisplayError
from edge_client.overlay import UNSURE
from edge_client.pipeline.screen import Screen
from edge_client.types import Frame, Image, Outcome, ShownFrame, TrackedBox


def shown(number: int) -> ShownFrame:
    frame = Frame(number, np.zeros((96, 128, 3), np.uint8), 0.0, datetime(2026, 1, 2, tzinfo=UTC))
    return ShownFrame(frame, Outcome.PLAIN, (), 0.0)


class Recorder:
    """A display that notes what it gets; it can be held up, and it can fail."""

    def __init__(self, *, every_frame: bool = True, fails_at: int | None = None) -> None:
        self.numbers: list[int] = []
        self.every_frame = every_frame
        self.fails_at = fails_at
        self.name = "recorder"
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.threads: set[int] = set()
        self.closed = 0

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        self.entered.set()
        assert self.gate.wait(20)
        if shown.frame.number == self.fails_at:
            raise DisplayError("the disk is full")
        assert annotated.shape == (96, 128, 3)
        self.numbers.append(shown.frame.number)
        self.threads.add(threading.get_ident())

    def closed_by_user(self) -> bool:
        return False

    def close(self) -> None:
        self.closed += 1
        self.threads.add(threading.get_ident())


def no_crash(error: BaseException) -> None:
    raise AssertionError from error


def run(screen: Screen, count: int) -> None:
    for number in range(count):
        screen.put(shown(number))
    screen.close(20)


def test_a_recorder_gets_every_frame_in_order_on_one_thread() -> None:
    display, delivered = Recorder(), threading.Semaphore(0)
    run(Screen([display], 2, delivered.release, no_crash, patient=True), 50)
    assert display.numbers == list(range(50))
    assert len(display.threads) == 1
    assert display.closed == 1
    assert all(delivered.acquire(blocking=False) for _ in range(50))


def test_a_slow_window_gets_the_latest_and_holds_up_no_recorder() -> None:
    window, recorder = Recorder(every_frame=False), Recorder()
    window.gate.clear()
    delivered = threading.Semaphore(0)
    screen = Screen([window, recorder], 4, delivered.release, no_crash, patient=True)
    screen.put(shown(0))
    assert window.entered.wait(10)
    for number in range(1, 30):
        screen.put(shown(number))
    for _ in range(30):
        assert delivered.acquire(timeout=10)
    window.gate.set()
    screen.close(20)
    assert recorder.numbers == list(range(30))
    assert window.numbers == [0, 29]


def test_a_recorder_that_cannot_keep_up_with_real_time_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    delivered = threading.Semaphore(0)
    screen = Screen([recorder], 3, delivered.release, no_crash, patient=False)
    with caplog.at_level(logging.WARNING):
        screen.put(shown(0))
        assert recorder.entered.wait(10)
        for number in range(1, 10):
            screen.put(shown(number))
        for _ in range(10):
            assert delivered.acquire(timeout=10)
        recorder.gate.set()
        screen.close(20)
    assert recorder.numbers == [0, 1, 2, 3]
    assert "recorder lacks 6 frames" in caplog.text


def test_a_display_that_fails_is_closed_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    failing, other = Recorder(fails_at=3), Recorder()
    with caplog.at_level(logging.WARNING):
        run(Screen([failing, other], 2, lambda: None, no_crash, patient=True), 20)
    assert failing.numbers == [0, 1, 2]
    assert failing.closed == 1
    assert other.numbers == list(range(20))
    assert "recorder ends: the disk is full" in caplog.text


def test_a_display_that_is_stuck_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    stuck = Recorder()
    stuck.gate.clear()
    screen = Screen([stuck], 2, lambda: None, no_crash, patient=True)
    for number in range(5):
        screen.put(shown(number))
    with caplog.at_level(logging.WARNING):
        screen.close(0.2)
    assert "does not end in time" in caplog.text
    stuck.gate.set()


def test_without_displays_frames_are_only_let_go() -> None:
    delivered = threading.Semaphore(0)
    run(Screen([], 2, delivered.release, no_crash, patient=False), 5)
    assert all(delivered.acquire(timeout=10) for _ in range(5))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unforeseen_error_is_not_hidden() -> None:
    class Broken(Recorder):
        def show(self, shown: ShownFrame, annotated: Image) -> None:
            raise ZeroDivisionError

    crashes: list[BaseException] = []
    run(Screen([Broken()], 2, lambda: None, crashes.append, patient=True), 3)
    assert [type(error) for error in crashes] == [ZeroDivisionError]


class Looker(Recorder):
    """A display that keeps what it was shown."""

    def __init__(self, *, every_frame: bool) -> None:
        super().__init__(every_frame=every_frame)
        self.frames: list[tuple[ShownFrame, Image]] = []

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        self.frames.append((shown, annotated))


@pytest.mark.parametrize("where", ["none", "shown", "recorded", "both"])
def test_plates_are_blurred_where_it_is_asked_for(where: Literal["none", "shown", "recorded", "both"]) -> None:
    image = np.full((96, 128, 3), 60, np.uint8)
    image[40:60, 30:90:4] = 250
    box = TrackedBox(1, PlateBox(30.0, 40.0, 90.0, 60.0, 0.9, (0.9,)), False, "B123XYZ", 0.95)
    frame = Frame(0, image, 0.0, datetime(2026, 1, 2, tzinfo=UTC))
    window, recorder = Looker(every_frame=False), Looker(every_frame=True)
    blurring = Blurring(PrivacySettings(blur=where))
    screen = Screen([window, recorder], 2, lambda: None, no_crash, patient=True, blurring=blurring)
    screen.put(ShownFrame(frame, Outcome.ANNOTATED, (box,), 0.0))
    screen.close(20)
    for display, is_blurred in ((window, where in ("shown", "both")), (recorder, where in ("recorded", "both"))):
        ((shown_frame, annotated),) = display.frames
        for picture in (shown_frame.frame.image, annotated):
            assert (int(picture[50, 34:88].max()) - int(picture[50, 34:88].min()) < 30) is is_blurred
        assert (shown_frame.boxes[0].text is None) is is_blurred
    assert image[50, 30].tolist() == [250, 250, 250]  # the captured frame itself is left as it is


def test_frames_of_a_gap_in_the_network_are_marked() -> None:
    looker = Looker(every_frame=True)
    screen = Screen([looker], 20, lambda: None, no_crash, patient=True)
    moments = [(0.0, Outcome.PLAIN), (0.1, Outcome.ANNOTATED), (2.0, Outcome.CARRIED), (2.2, Outcome.PLAIN)]
    moments += [(9.0, Outcome.PLAIN), (9.1, Outcome.ANNOTATED), (9.2, Outcome.PLAIN)]
    for number, (captured_s, outcome) in enumerate(moments):
        frame = Frame(number, np.full((720, 960, 3), 60, np.uint8), captured_s, datetime(2026, 1, 2, tzinfo=UTC))
        screen.put(ShownFrame(frame, outcome, (), 0.0))
    screen.close(20)
    amber = [bool((np.abs(annotated.astype(int) - UNSURE).max(axis=2) < 12).any()) for _, annotated in looker.frames]
    assert amber == [False, False, False, True, True, False, False]


def test_plates_are_written_by_their_names_and_blurred_by_their_texts() -> None:
    own = TrackedBox(1, PlateBox(10.0, 10.0, 40.0, 20.0, 0.9, (0.9,)), carried=False, text="OWN1", confidence=0.9)
    other = TrackedBox(2, PlateBox(60.0, 10.0, 90.0, 20.0, 0.9, (0.9,)), carried=False, text="AB123", confidence=0.9)
    texts: list[tuple[str | None, ...]] = []

    class Noting(Recorder):
        def show(self, shown: ShownFrame, annotated: Image) -> None:
            texts.append(tuple(tracked.text for tracked in shown.boxes))

    settings = PrivacySettings(blur="shown", never=("OWN*",), texts=False)
    displays = [Noting(), Noting(every_frame=False)]
    screen = Screen(
        displays, 4, lambda: None, no_crash, patient=True, blurring=Blurring(settings), named=lambda t: "#" + t[:2]
    )
    screen.put(replace(shown(0), outcome=Outcome.ANNOTATED, boxes=(own, other)))
    screen.close(20)
    assert sorted(texts, key=str) == [("#OW", "#AB"), ("#OW", None)]
