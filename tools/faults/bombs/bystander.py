"""Another client, who sends one picture after the other while the bombs come."""

from __future__ import annotations

import threading
import time

import requests


class Bystander:
    """Asks until it is left; all its pictures are to be answered."""

    def __init__(self, url: str, picture: bytes) -> None:
        self._url = url
        self._picture = picture
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._asked = threading.Condition()
        self.answered = 0
        self.failed: list[str] = []
        self.slowest_s = 0.0

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for(self, answers: int, timeout_s: float = 30.0) -> bool:
        """Wait for so many answers in all; False when one failed, or they did not come in time."""
        with self._asked:
            self._asked.wait_for(lambda: self.answered >= answers or self.failed, timeout_s)
        return self.answered >= answers and not self.failed

    def _ask(self) -> None:
        with requests.Session() as session:
            while not self._over.wait(0.02):
                begun_s = time.monotonic()
                try:
                    answer = session.post(
                        f"{self._url}/yolov3",
                        data=self._picture,
                        headers={"Content-Type": "image/jpeg"},
                        timeout=30,
                    )
                    if answer.ok:
                        self.answered += 1
                    else:
                        self.failed.append(f"status {answer.status_code}")
                except requests.RequestException as error:
                    self.failed.append(type(error).__name__)
                self.slowest_s = max(self.slowest_s, time.monotonic() - begun_s)
                with self._asked:
                    self._asked.notify_all()
