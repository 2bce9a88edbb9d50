"""The measurement of an overload, against a server that has so many places and refuses what is more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.faults.cloud.overload import LEAST_ANSWERS, Measured, judged, measure

_PLACES = 3
_WORK_S, _PATIENCE_S = 0.005, 0.5


@contextmanager
def serving(*, retry_after: str | None = "1", crowded: bool = False) -> Iterator[str]:
    """A server that works on one request at a time and lets two wait.

    Where it is ``crowded`` it works on each until somebody was refused, who comes soon if there are more clients than
    places, however slow the machine.
    """
    places, work, refused = threading.BoundedSemaphore(_PLACES), threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if not places.acquire(blocking=False):
                refused.set()
                self._answer(503)
                return
            with work:
                time.sleep(_WORK_S)
                if crowded:
                    refused.wait(_PATIENCE_S)  # at the end nobody comes any more
                    refused.clear()
            places.release()
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            if status == 503 and retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/yolov3"
        server.shutdown()


def test_as_many_clients_as_places_are_normal_and_more_are_too_many() -> None:
    with serving() as url:
        normal = measure(url, _PLACES, warm_up_s=0.1, seconds=0.2, least=50)
    with serving(crowded=True) as url:
        heavy = measure(url, 3 * _PLACES, pause_s=normal.mean_s, warm_up_s=0.1, seconds=0.2, least=50)
    assert len(normal.answered_s) >= 50 and normal.refused == 0 and not normal.failed
    assert len(heavy.answered_s) >= 50 and not heavy.failed
    assert heavy.polite == heavy.refused > 0
    assert min(normal.answered_s) >= _WORK_S and normal.mean_s <= normal.p99_ms / 1000


def test_refusals_that_do_not_say_when_to_come_again_are_seen() -> None:
    with serving(retry_after=None, crowded=True) as url:
        heavy = measure(url, 3 * _PLACES, pause_s=0.01, warm_up_s=0.1, seconds=0.2, least=20)
    assert heavy.refused > 0 and heavy.polite == 0


_NORMAL = Measured(3, 10.0, [0.1] * 400, 0, 0, ())
_HEAVY = Measured(9, 10.0, [0.15] * 400, 700, 700, ())


@pytest.mark.parametrize(
    ("normal", "heavy", "kept"),
    [
        (_NORMAL, _HEAVY, True),
        (_NORMAL, replace(_HEAVY, answered_s=[0.15] * 395 + [0.25] * 5), False),  # later than twice
        (_NORMAL, replace(_HEAVY, failed=("no answer",)), False),
        (_NORMAL, replace(_HEAVY, polite=699), False),
        (_NORMAL, replace(_HEAVY, refused=0, polite=0), False),  # no overload at all
        (replace(_NORMAL, refused=1), _HEAVY, False),  # not normal
        (_NORMAL, replace(_HEAVY, answered_s=[0.15] * (LEAST_ANSWERS - 1)), False),  # says nothing
    ],
)
def test_what_is_kept(normal: Measured, heavy: Measured, kept: bool) -> None:
    row = judged(normal, heavy)
    assert row.kept is kept
    assert "110 requests/s" in row.measured or heavy is not _HEAVY
