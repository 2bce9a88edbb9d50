from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_client.errors import PositionError
from edge_client.positions.history import FixHistory
from edge_client.positions.receiver import Receiver
from edge_client.positions.serial_line import Activation, SerialLine
from edge_client.types import Fix, GpsState
from tests.edge_client.positions.pty_port import PtyPort, Speaker, pty_port
from tests.edge_client.positions.sentences import gga, rmc
from tests.edge_client.positions.test_receiver import wait_for

PATIENCE_S = 120.0


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    with pty_port(tmp_path / "gps") as made:
        yield made


def receiver(line: SerialLine, told: queue.SimpleQueue[Fix]) -> Receiver:
    return Receiver(line, FixHistory(10.0, 3.0, 1000.0), 10.0, told.put, first_pause_s=0.01)


def moment(port: PtyPort, second: int) -> None:
    clock = f"12{second // 60 % 60:02}{second % 60:02}"
    port.say(f"noise {second}")
    port.say(gga(clock))
    port.say(rmc(clock))


def test_it_hears_a_receiver_through_noise(port: PtyPort) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    made = receiver(SerialLine(str(port.path), 9600), told)
    try:
        with Speaker(lambda second: moment(port, second)):
            fixes = [told.get(timeout=PATIENCE_S) for _ in range(3)]
        assert {(fix.latitude_deg, fix.longitude_deg) for fix in fixes} == {(45.5, 23.5)}
        assert fixes[0].utc is not None
        assert fixes[1].utc is not None
        assert (fixes[1].utc - fixes[0].utc).total_seconds() == 1.0
        while made.status().rejected == 0:  # the noise before the first sentence may have been lost
            time.sleep(0.01)
        while (latest := made.status().fix) is None or latest.speed_mps is None:
            time.sleep(0.01)  # the last sentence of the moment is still to be heard
        assert (latest.satellites, latest.hdop) == (8, 1.0)
        assert latest.speed_mps == pytest.approx(5.144, abs=1e-3)
        wait_for(made, GpsState.FIX)
        assert made.status().rejected > 0
    finally:
        made.close()


def test_it_is_unplugged_and_plugged_in_again(port: PtyPort) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    made = receiver(SerialLine(str(port.path), 9600), told)
    try:
        with Speaker(lambda second: moment(port, second)):
            told.get(timeout=PATIENCE_S)
        port.unplug()
        wait_for(made, GpsState.CONNECTING)
        while "no such port" not in made.status().reason:
            time.sleep(0.01)
        while not told.empty():
            told.get()
        port.plug_in()
        with Speaker(lambda second: moment(port, 100 + second)):
            told.get(timeout=PATIENCE_S)
        wait_for(made, GpsState.FIX)
        assert made.status().reason == ""
    finally:
        made.close()


def test_garbage_is_told_with_the_speed_of_the_port(port: PtyPort) -> None:
    made = receiver(SerialLine(str(port.path), 4800), queue.SimpleQueue())
    try:
        with Speaker(lambda count: port.say(bytes([0xF0, 0x81, 0x24, count % 250, 0x0A]) * 5)):
            wait_for(made, GpsState.SEARCHING)
            end_s = time.monotonic() + PATIENCE_S
            while "only garbage" not in made.status().reason:
                assert time.monotonic() < end_s
                time.sleep(0.01)
        assert "4800" in made.status().reason
        assert made.at(0.0, time.monotonic()) is None
    finally:
        made.close()


def test_silence_and_missing_ports_are_errors_with_a_reason(port: PtyPort, tmp_path: Path) -> None:
    with pytest.raises(PositionError, match="nothing came from"):
        next(SerialLine(str(port.path), 9600, silence_s=0.05).listen())
    with pytest.raises(PositionError, match="no such port"):
        next(SerialLine(str(tmp_path / "none"), 9600).listen())
    (tmp_path / "file").touch()
    with pytest.raises(PositionError, match="file"):
        next(SerialLine(str(tmp_path / "file"), 9600).listen())


def test_a_port_that_another_program_holds_is_an_error(port: PtyPort) -> None:
    first = SerialLine(str(port.path), 9600).listen()
    with Speaker(lambda second: moment(port, second)):
        next(first)
        with pytest.raises(PositionError, match=r"lock|busy"):
            next(SerialLine(str(port.path), 9600).listen())
    first.close()  # type: ignore[attr-defined]


def test_closing_does_not_wait_for_a_silent_port(port: PtyPort) -> None:
    made = receiver(SerialLine(str(port.path), 9600, silence_s=60.0), queue.SimpleQueue())
    with Speaker(lambda second: moment(port, second)):
        wait_for(made, GpsState.FIX)
    made.close()
    assert not made._thread.is_alive()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"AT+QGPS=1\r\r\nOK\r\n", ""),
        (b"\r\n+CME ERROR: 504\r\n", ""),
        (b"\r\n+CME ERROR: 501\r\n", "answered AT+QGPS=1 with +CME ERROR: 501"),
        (b"\r\nERROR\r\n", "with ERROR"),
        (b"\xff\xfe garbage\r\n", "did not answer AT+QGPS=1"),
    ],
)
def test_the_answer_to_the_activation_is_checked(port: PtyPort, answer: bytes, failure: str) -> None:
    heard: list[bytes] = []

    def answers(command: bytes) -> bytes:
        heard.append(command)
        return answer

    port.answer(answers)
    found = Activation(str(port.path), "AT+QGPS=1", timeout_s=0.5).failure()
    assert heard == [b"AT+QGPS=1\r"]
    assert failure in found
    assert bool(found) == bool(failure)


def test_a_receiver_that_could_not_be_activated_is_heard_all_the_same(port: PtyPort, tmp_path: Path) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    activation = Activation(str(tmp_path / "none"), "AT+QGPS=1")
    made = receiver(SerialLine(str(port.path), 9600, activation), told)
    try:
        with Speaker(lambda second: moment(port, second)):
            told.get(timeout=PATIENCE_S)
        assert made.status().state is GpsState.FIX
        assert "AT+QGPS=1" in made.status().reason
    finally:
        made.close()


def test_a_receiver_is_activated_before_it_is_heard(port: PtyPort, tmp_path: Path) -> None:
    told: queue.SimpleQueue[Fix] = queue.SimpleQueue()
    with pty_port(tmp_path / "modem") as modem:
        answering = modem.answer(lambda command: b"\r\nOK\r\n")
        made = receiver(SerialLine(str(port.path), 9600, Activation(str(modem.path), "AT+QGPS=1")), told)
        try:
            answering.join(PATIENCE_S)
            with Speaker(lambda second: moment(port, second)):
                told.get(timeout=PATIENCE_S)
            assert made.status().reason == ""
        finally:
            made.close()
