"""Clients that ask the detector without a pause while things break, and what became of each request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np

from edge_client.config import PoolSettings
from edge_client.errors import ApiError, ApiOverloadedError
from edge_client.requests.transport import Body, Transport
from tools.cluster.bench import sample_picture
from tools.cluster.trial import KEY

_READ_S = 60.0
_PAUSE_S = 0.05


@dataclass(eq=False)
class Load:
    """Closed loops against a URL with the dashcam's own client.

    ``again`` lets it try a request whose connection broke once more, as the dashcam does.
    """

    url: str
    clients: int
    again: bool = True
    answered_s: list[float] = field(default_factory=list)
    """How long each answer took."""
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        """Start asking; returns once there was an answer from each client."""
        body = Body(data=sample_picture(), content_type="image/jpeg")
        self._threads = [threading.Thread(target=self._run, args=(body,)) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        self.wait_for(self.clients)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop asking."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait until there were so many more answers."""
        with self._changed:
            wanted = len(self.answered_s) + answers
            self._changed.wait_for(lambda: len(self.answered_s) >= wanted, timeout=5 * _READ_S)

    @property
    def asked(self) -> int:
        """Requests that have come to an end."""
        return len(self.answered_s) + self.refused + len(self.failed)

    def p99_ms(self) -> float:
        """Of the answers."""
        return float(np.percentile(self.answered_s, 99)) * 1000 if self.answered_s else float("nan")

    def _run(self, body: Body) -> None:
        transport = Transport(PoolSettings(read_timeout_s=_READ_S), {"X-API-Key": KEY})
        while not self._over.is_set():
            begun_s = time.perf_counter()
            try:
                transport.ask(self.url, body, again=self.again)
            except ApiOverloadedError as error:
                self._note(refused=True)
                self._over.wait(min(1.0, error.retry_after_s or _PAUSE_S))
            except ApiError as error:
                self._note(failure=str(error))
                self._over.wait(_PAUSE_S)
            else:
                self._note(took_s=time.perf_counter() - begun_s)

    def _note(self, *, took_s: float | None = None, refused: bool = False, failure: str | None = None) -> None:
        with self._changed:
            if took_s is not None:
                self.answered_s.append(took_s)
            if failure is not None:
                self.failed.append(failure)
            self.refused += refused
            self._changed.notify_all()
