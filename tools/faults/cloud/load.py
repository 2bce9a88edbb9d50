"""Clients that ask the detector without a pause while things break, and what became of each request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

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

    ``again`` lets it try a request whose connection broke once more, as the dashcam does. Clients that are refused ask
    again when they are told to, or after ``pause_s``.
    """

    url: str
    clients: int
    again: bool = True
    pause_s: float | None = None
    answered_s: list[float] = field(default_factory=list)
    """How long each answer took."""
    refused: int = 0
    polite: int = 0
    """Refusals that said when to ask again."""
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
            self.wait_until(len(self.answered_s) + answers, 5 * _READ_S)

    def wait_until(self, answers: int, longest_s: float) -> None:
        """Wait until there are so many answers in all, but not for ever."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.answered_s) >= answers, timeout=longest_s)

    def forget(self) -> None:
        """Count from here on, as at the end of a warm-up."""
        with self._changed:
            self.answered_s, self.failed, self.refused, self.polite = [], [], 0, 0

    def so_far(self) -> tuple[tuple[float, ...], int, int, tuple[str, ...]]:
        """Answers, refusals, those of them that were polite, and failures, all of one moment."""
        with self._changed:
            return tuple(self.answered_s), self.refused, self.polite, tuple(self.failed)

    @property
    def asked(self) -> int:
        """Requests that have come to an end."""
        return len(self.answered_s) + self.refused + len(self.failed)

    def _run(self, body: Body) -> None:
        transport = Transport(PoolSettings(read_timeout_s=_READ_S), {"X-API-Key": KEY})
        while not self._over.is_set():
            begun_s = time.perf_counter()
            try:
                transport.ask(self.url, body, again=self.again)
            except ApiOverloadedError as error:
                self._note(refused=True, polite=bool(error.retry_after_s))
                told_s = min(1.0, error.retry_after_s or _PAUSE_S)
                self._over.wait(told_s if self.pause_s is None else self.pause_s)
            except ApiError as error:
                self._note(failure=str(error))
                self._over.wait(_PAUSE_S)
            else:
                self._note(took_s=time.perf_counter() - begun_s)

    def _note(
        self,
        *,
        took_s: float | None = None,
        refused: bool = False,
        polite: bool = False,
        failure: str | None = None,
    ) -> None:
        with self._changed:
            if took_s is not None:
                self.answered_s.append(took_s)
            if failure is not None:
                self.failed.append(failure)
            self.refused += refused
            self.polite += polite
            self._changed.notify_all()
