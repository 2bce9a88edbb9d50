from __future__ import annotations

import os
import signal

from edge_client.recording.button import LockButton, pressed_by_signal


class Pressed:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def lock(self, reason: str) -> None:
        self.reasons.append(reason)


def test_the_button_works_while_a_drive_is_recorded() -> None:
    button, recorder = LockButton(), Pressed()
    assert not button.lock("too early")
    button.connect(recorder)
    assert button.lock("page")
    button.connect(None)
    assert not button.lock("too late")
    assert recorder.reasons == ["page"]


def test_a_signal_presses_it() -> None:
    button, recorder = LockButton(), Pressed()
    button.connect(recorder)
    before = signal.getsignal(signal.SIGUSR1)
    with pressed_by_signal(button):
        os.kill(os.getpid(), signal.SIGUSR1)
    assert recorder.reasons == ["signal"]
    assert signal.getsignal(signal.SIGUSR1) is before
