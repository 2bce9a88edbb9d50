"""A share of the spoiled pictures and bodies over real sockets, against a server in a process of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import psutil

from cloud_apis.names import Api
from tools.faults.access.raw import ask, status
from tools.faults.fuzz import bodies, pictures
from tools.faults.fuzz.mutate import Cases
from tools.faults.fuzz.watch import CASE_S, MOST_GROWTH_MB
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial
from tools.serving import served

_RIGHT: Final = {200, 400, 404, 405, 413, 415, 422}


def requests(count: int, seed: int) -> Iterator[bytes]:
    """So many requests: pictures and bodies in turn."""
    shown = Cases(pictures.FORMAT.intact(), pictures.FORMAT.mutations, seed)
    sent = Cases(bodies.FORMAT.intact(), bodies.FORMAT.mutations, seed)
    for number in range(count):
        if number % 2:
            path, kind, body = bodies.split(sent[number])
            kind = "".join(letter for letter in kind if letter.isprintable())
        else:
            path, kind, body = "/yolov3", "image/jpeg", shown[number]
        lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Type: {kind}")
        yield "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


def trial(effort: Effort) -> Iterator[Row]:
    """One server for all."""
    count, became, slowest_s = effort.count(2000, 60), Counter[int](), 0.0
    with served(bodies.small_settings(), apis=(Api.YOLOV3, Api.CRNN, Api.COLOURS)) as server:
        process, before_mb = psutil.Process(server.process.pid), 0.0
        for number, request in enumerate(requests(count, effort.seed)):
            begun_s = time.monotonic()
            became[status(ask(server.url, request))] += 1
            slowest_s = max(slowest_s, time.monotonic() - begun_s)
            if number == count // 4:
                before_mb = process.memory_info().rss / 2**20
        growth_mb = process.memory_info().rss / 2**20 - before_mb
        lives = server.process.poll() is None
    wrong = sorted(became.keys() - _RIGHT)
    measured = f"{dict(sorted(became.items()))}, slowest {1000 * slowest_s:.0f} ms, growth {growth_mb:.0f} MB"
    kept = lives and not wrong and slowest_s < CASE_S and growth_mb <= MOST_GROWTH_MB
    promised = f"an answer below 500 to each, none takes {CASE_S:g} s, growth at most {MOST_GROWTH_MB:g} MB"
    yield Row("mutated pictures and bodies over HTTP", promised, measured, kept)


OVER_HTTP: Final = Trial("fuzz-http", "mutated pictures and bodies over real sockets", trial)
