"""The thread that reads a device, so that a driver which hangs takes nobody along."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from edge_client.errors import SourceError
from edge_client.sources.device import Device, Opener, Picture

_WAITING_PICTURES = 2


@dataclass(frozen=True, slots=True)
class Opened:
    """The device is open; what it states about itself."""

    frame_rate_hz: float | None
    frame_count: int | None


@dataclass(frozen=True, slots=True)
class Lost:
    """There will be no more from this reader."""

    reason: str


Message = Opened | Picture | Lost


class Reader:
    """Opens a device in a thread of its own and reads it until it is lost or abandoned.

    Of a live device's pictures the last two wait at most: older ones are gone. A recording waits itself.
    """

    def __init__(self, name: str, opener: Opener) -> None:
        self._opener = opener
        self._device: Device | None = None
        self._messages: deque[Message] = deque()
        self._changed = threading.Condition()
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name=f"reader of the {name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread still runs: after `abandon` that means that a driver holds it."""
        return self._thread.is_alive()

    def take(self, timeout_s: float) -> Message | None:
        """The next message; None after the timeout, or at once when abandoned."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._abandoned, max(timeout_s, 0.0))
            if self._abandoned or not self._messages:
                return None
            message = self._messages.popleft()
            self._changed.notify_all()
            return message

    def abandon(self) -> None:
        """Let it end by itself, whenever that is; returns at once. The device is closed as it ends."""
        with self._changed:
            self._abandoned = True
            self._messages.clear()
            self._changed.notify_all()
            device = self._device
        if device is not None:
            device.interrupt()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, but not longer than this."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        device: Device | None = None
        try:
            device = self._opener()
            with self._changed:
                self._device = device
            self._post(Opened(device.frame_rate_hz, device.frame_count))
            self._read(device)
        except SourceError as error:
            self._post(Lost(str(error)))
        except BaseException as error:
            self._post(Lost(f"{type(error).__name__}: {error}"))
            raise
        finally:
            if device is not None:
                device.close()

    def _read(self, device: Device) -> None:
        waits = device.frame_count is not None
        while not self._abandoned:
            picture = device.read()
            if picture is None:
                self._post(Lost("it ended"))
                return
            self._post(picture, waits=waits)

    def _post(self, message: Message, *, waits: bool = False) -> None:
        with self._changed:
            if waits:
                self._changed.wait_for(lambda: len(self._messages) < _WAITING_PICTURES or self._abandoned)
            if self._abandoned:
                return
            pictures = [m for m in self._messages if isinstance(m, Picture)]
            if isinstance(message, Picture) and len(pictures) >= _WAITING_PICTURES:
                self._messages.remove(pictures[0])
            self._messages.append(message)
            self._changed.notify_all()
