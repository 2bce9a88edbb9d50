"""A closed loop of clients that take little of the machine, since what they take counts against the server."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httptools

from cloud_apis.contract import API_KEY_HEADER
from tools.bench.figures import timing
from tools.cluster.errors import LocalClusterError

_TIMEOUT_S: Final = 60.0
_READ_BYTES: Final = 2**16
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where the detector is asked, and with which key."""

    urls: tuple[str, ...]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """One closed loop: so many clients for so long, each with the next request as soon as its answer is there."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate_hz(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def closed_loop(place: Place, picture: bytes, *, clients: int, seconds: float) -> Load:
    """Ask for so long, the clients divided among the URLs; raises `LocalClusterError` for any answer but 200."""
    durations: list[float] = []
    problems: list[str] = []
    begun = time.monotonic()
    end = begun + seconds
    threads = [
        threading.Thread(target=_client, args=(url, place.key, picture, end, durations, problems))
        for url in itertools.islice(itertools.cycle(place.urls), clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - begun
    if problems or not durations:
        raise LocalClusterError(f"{place.urls[0]}: {problems[0] if problems else 'no answer'}")
    figures = timing(durations)
    return Load(len(durations), took_s, figures.median_s * 1000, figures.p99_s * 1000)


class _Answer:
    """One answer, as `httptools` tells it."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.whole = False

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.whole = True


class _Connection:
    """Asks the same again and again on one connection, or on a new one when the server said that it ends the last."""

    def __init__(self, url: str, key: str | None, picture: bytes) -> None:
        parts = urlsplit(url)
        self._address = (str(parts.hostname), parts.port or 80)
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: image/jpeg\r\n"
        own = f"{API_KEY_HEADER}: {key}\r\n" if key else ""
        self._request = f"{head}{own}Content-Length: {len(picture)}\r\n\r\n".encode() + picture
        self._socket: socket.socket | None = None

    def ask(self) -> _Answer:
        """One request. Raises OSError, also where the connection ends within it, and `httptools.HttpParserError`."""
        connection = self._socket = self._socket or self._connected()
        connection.sendall(self._request)
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.whole:
            received = connection.recv(_READ_BYTES)
            if not received:
                raise ConnectionError("the server ended the connection")
            parser.feed_data(received)
        answer.status = parser.get_status_code()
        if not parser.should_keep_alive():
            self.close()
        return answer

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(self._address, _TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _client(url: str, key: str | None, picture: bytes, end: float, durations: list[float], problems: list[str]) -> None:
    with contextlib.closing(_Connection(url, key, picture)) as connection:
        while time.monotonic() < end and not problems:
            start = time.perf_counter()
            try:
                answer = connection.ask()
            except (OSError, httptools.HttpParserError) as error:
                problems.append(str(error) or type(error).__name__)
                return
            if answer.status != _OK:
                problems.append(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
            else:
                durations.append(time.perf_counter() - start)
