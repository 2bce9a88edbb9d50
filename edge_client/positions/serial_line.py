"""A receiver on a serial port that talks NMEA 0183; some modems have to be told to turn it on."""

from __future__ import annotations

import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import serial

from edge_client.errors import PositionError
from edge_client.positions.delay import DelayFilter
from edge_client.positions.lines import Lines
from edge_client.positions.moments import Moments
from edge_client.positions.nmea import NmeaError, parse
from edge_client.positions.receiver import Heard
from edge_client.positions.replay import to_fix

_LONGEST_LINE = 4096
_MODEM_BAUD = 115200
_GARBAGE_LINES = 20
PORT_ERRORS = (OSError, ValueError, termios.error)
"""What a port raises that is missing, taken, unplugged or cannot be set; serial.SerialException is an OSError."""


@dataclass(frozen=True, slots=True)
class Activation:
    """Turns the receiver of a modem on: ``command`` on a port of its own, answered OK (3GPP TS 27.007)."""

    device: str
    command: str
    timeout_s: float = 3.0

    def failure(self) -> str:
        """Give the command; why it did not work, empty if it did."""
        try:
            with serial.Serial(self.device, _MODEM_BAUD, timeout=self.timeout_s, write_timeout=self.timeout_s) as port:
                port.reset_input_buffer()
                port.write(self.command.encode("ascii", errors="replace") + b"\r")
                return self._answer(port)
        except PORT_ERRORS as error:
            return f"{self.device} does not take {self.command}: {why(error)}"

    def _answer(self, port: serial.Serial) -> str:
        end_s = time.monotonic() + self.timeout_s
        while (left_s := end_s - time.monotonic()) > 0:
            port.timeout = left_s
            answer = port.read_until(b"\n").decode("ascii", errors="replace").strip()
            if answer in {"OK", "+CME ERROR: 504"}:  # 504: it is on already (Quectel)
                return ""
            if "ERROR" in answer:
                return f"{self.device} answered {self.command} with {answer[:80]}"
        return f"{self.device} did not answer {self.command} within {self.timeout_s:.0f} s"


class SerialLine:
    """A serial port with a receiver behind it."""

    def __init__(self, device: str, baud: int, activation: Activation | None = None, *, silence_s: float = 5.0) -> None:
        self._device = device
        self._baud = baud
        self._activation = activation
        self._silence_s = silence_s
        self._port: serial.Serial | None = None
        self._interrupted = False

    @property
    def name(self) -> str:
        """The port."""
        return self._device

    def interrupt(self) -> None:
        """Let `listen` end soon."""
        self._interrupted = True
        port = self._port
        if port is not None:
            with suppress(*PORT_ERRORS, TypeError, AttributeError):  # closed meanwhile
                port.cancel_read()

    def listen(self) -> Iterator[Heard]:
        """See `Link`: each line of the port that says something, until there is silence or it is unplugged."""
        failure = self._activation.failure() if self._activation is not None else ""
        try:
            with serial.Serial(self._device, self._baud, timeout=self._silence_s, exclusive=True) as port:
                port.reset_input_buffer()  # what was told before is of the past
                self._port = port
                yield from self._sentences(port, failure)
        except PORT_ERRORS as error:
            raise PositionError(failure or f"{self._device}: {why(error)}") from None
        finally:
            self._port = None

    def _sentences(self, port: serial.Serial, failure: str) -> Iterator[Heard]:
        lines, moments, delay = Lines(_LONGEST_LINE), Moments(), DelayFilter()
        moment_s, received_s = -1.0, 0.0
        broken, began, notice = 0, False, failure
        while not self._interrupted:
            data = port.read(max(port.in_waiting, 1))
            if not data and not self._interrupted:
                raise PositionError(failure or f"nothing came from {self._device} for {self._silence_s:.0f} s")
            for line, arrived_s in lines.add(data, time.monotonic()):
                first, began = not began, True
                if not line.strip():
                    continue
                try:
                    sentence = parse(line)
                except NmeaError:
                    if first:
                        continue  # we came in the middle of it
                    broken += 1
                    garbage = f"only garbage comes from {self._device} at {self._baud} baud: is that its speed?"
                    yield Heard(broken=True, notice=garbage if broken == _GARBAGE_LINES else None)
                    continue
                broken = 0
                fix = moments.add(sentence) if sentence is not None else None
                if fix is None:
                    yield Heard(void=sentence is not None and sentence.is_void, notice=notice)
                    continue
                if fix.day_s != moment_s:
                    moment_s, received_s = fix.day_s, delay.steady_s(fix.day_s, arrived_s)
                yield Heard(to_fix(fix, received_s), notice=notice)


def why(error: Exception) -> str:
    """An error of a port in a few words."""
    if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == 2:
        return "there is no such port"
    if getattr(error, "errno", None) == 13:
        return "no permission (is the user in the group dialout?)"
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:120]
