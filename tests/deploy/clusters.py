"""Clients that ask without a pause while the tests do things to a cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.cluster.trial import PATIENCE_S


@dataclass(eq=False)
class Asking:
    """Clients that ask one after the other without a pause, each over a connection of its own, until told to stop.

    ``ask`` raises for a request that failed, and what it raised is kept with its time.
    """

    ask: Callable[[], object]
    clients: int
    answered: int = 0
    failed: list[tuple[float, Exception]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Asking:
        """Start asking."""
        self._threads = [threading.Thread(target=self._run) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop asking."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_answers(self, count: int, limit_s: float = PATIENCE_S) -> None:
        """Wait until so many more requests were answered."""
        wanted, deadline = self.answered + count, time.monotonic() + limit_s
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"only {self.answered} of {wanted} answers: {self.failed[-3:]}"
            time.sleep(0.05)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.ask()
            except Exception as error:  # noqa: BLE001 - looked at by the test
                with self._lock:
                    self.failed.append((time.monotonic(), error))
                time.sleep(0.1)
            else:
                with self._lock:
                    self.answered += 1
