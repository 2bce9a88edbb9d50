"""Sends the bombs and measures: how soon each is refused, how much memory it takes, whether others are served."""

from __future__ import annotations

import contextlib
import select
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import requests

from cloud_apis.names import Api
from cloud_apis.settings import ApiSettings, load_settings
from tools.faults.bombs import answers
from tools.faults.bombs.bystander import Bystander
from tools.faults.bombs.memory import PeakMemory
from tools.faults.bombs.requests import Bomb, bombs, head, picture
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial
from tools.serving import Served, served

MOST_GROWTH_MB: Final = 10.0
BODY_TIMEOUT_S: Final = 2.0
_PATIENCE_S: Final = 30.0
_WARM_UP: Final = 20
_SETTLE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Blast:
    """What came of a bomb: status (0: hung up on), and seconds from when it could be told to the first byte back."""

    status: int
    took_s: float


def explode(url: str, bomb: Bomb) -> Blast:
    """Send a bomb and await the answer; raises TimeoutError when there is none."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=_PATIENCE_S) as connection:
        begun_s = time.monotonic()
        with contextlib.suppress(ConnectionError):  # hung up on in the middle: what was answered is still read
            for number, piece in enumerate(bomb.pieces):
                last = number == len(bomb.pieces) - 1 and bomb.after_s is None
                if number and select.select([connection], [], [], _SETTLE_S if last else bomb.drip_s)[0]:
                    break
                connection.sendall(piece)
        told_s = time.monotonic() if bomb.after_s is None else begun_s + bomb.after_s
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(4096)
        took_s = max(0.0, time.monotonic() - told_s)
        return Blast(int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else 0, took_s)


def settings() -> ApiSettings:
    """The shipped ones, with less patience for bodies."""
    return load_settings().model_copy(update={"body_timeout_s": BODY_TIMEOUT_S})


def warm_up(url: str, jpeg: bytes) -> None:
    """Let the server take what memory it needs for its work; raises OSError when it does not work."""
    for _ in range(_WARM_UP):
        requests.post(f"{url}/yolov3", jpeg, headers={"Content-Type": "image/jpeg"}, timeout=60).raise_for_status()


def row(bomb: Bomb, blasts: list[Blast], growth_mb: float, other: Bystander) -> Row:
    """What the bombs of a kind did."""
    median_s = statistics.median(blast.took_s for blast in blasts)
    statuses = sorted({blast.status for blast in blasts})
    kept = set(statuses) <= set(bomb.statuses) and median_s <= bomb.within_s and growth_mb <= MOST_GROWTH_MB
    done = "answered without harm" if 200 in bomb.statuses else "refused"
    promised = (
        f"{done} within {1000 * bomb.within_s:.0f} ms of being recognisable (median), memory growth at most "
        f"{MOST_GROWTH_MB:g} MB, another client is served meanwhile"
    )
    measured = (
        f"{', '.join(map(str, statuses))} after {1000 * median_s:.0f} ms (slowest "
        f"{1000 * max(blast.took_s for blast in blasts):.0f} ms), growth {growth_mb:.1f} MB, "
        f"{other.answered} of {other.answered + len(other.failed)} others served"
    )
    return Row(bomb.name, promised, measured, kept and other.answered > 0 and not other.failed)


def _bomb_rows(effort: Effort, server: Served, jpeg: bytes) -> Iterator[Row]:
    for bomb in bombs(BODY_TIMEOUT_S):
        memory = PeakMemory(server.process.pid)
        with Bystander(server.url, jpeg) as other:
            times = effort.count(9, 3) if bomb.after_s is None else effort.count(3, 1)
            blasts = [explode(server.url, bomb) for _ in range(times)]
            growth_mb = memory.growth_mb
            other.wait_for(1)  # short bombs may be over before it has asked even once
        yield row(bomb, blasts, growth_mb, other)


def _many(server: Served, count: int, begin: bytes, jpeg: bytes) -> tuple[float, Bystander]:
    """So many connections that send a beginning and then nothing, held for as long as another client asks some."""
    address = urlsplit(server.url)
    memory = PeakMemory(server.process.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=30))
            connection.sendall(begin)
        with Bystander(server.url, jpeg) as other:
            other.wait_for(5)
        return memory.growth_mb, other


def _crowd_rows(effort: Effort, server: Served, jpeg: bytes) -> Iterator[Row]:
    count = effort.count(400, 100)
    promised = f"another client is served meanwhile, memory growth at most {MOST_GROWTH_MB:g} MB"
    begins = {
        "half a head": b"POST /yolov3 HTTP/1.1\r\nHost: x\r\nX-A: b",
        "half a body": head("/yolov3", "Content-Type: image/jpeg", "Content-Length: 5000") + jpeg[:1000],
    }
    for name, begin in begins.items():
        growth_mb, other = _many(server, count, begin, jpeg)
        measured = f"{other.answered} served, slowest {other.slowest_s:.2f} s, growth {growth_mb:.1f} MB"
        kept = other.answered >= 5 and not other.failed and growth_mb <= MOST_GROWTH_MB
        yield Row(f"{count} connections with {name}", promised, measured, kept)


def trial(effort: Effort) -> Iterator[Row]:
    """All bombs against one server."""
    jpeg = picture()
    with served(settings(), apis=(Api.YOLOV3, Api.CRNN)) as server:
        warm_up(server.url, jpeg)
        yield from _bomb_rows(effort, server, jpeg)
        yield from _crowd_rows(effort, server, jpeg)
    yield from answers.rows()


BOMBS: Final = Trial("bombs", "requests that are small and mean much work", trial)
