"""A real Chromium without a screen, driven over its debugging pipe by the standard library alone.

Protocol: https://chromedevtools.github.io/devtools-protocol/, JSON messages that end with a zero byte.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The browser reads from 3 and writes to 4.
_LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_PATIENCE_S = 120.0


class BrowserError(AssertionError):
    """The browser, or the page in it, does not do what is awaited."""


def find_chromium() -> str | None:
    """The browser's command, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One tab of a headless Chromium."""

    def __init__(self, command: str, profile: Path) -> None:
        commands_out, commands_in = os.pipe()
        answers_out, answers_in = os.pipe()
        ours = (commands_in, answers_out)
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (commands_out, answers_in)]
        os.close(commands_out)
        os.close(answers_in)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        arguments += ["--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *map(str, theirs), command, *arguments],
            pass_fds=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in theirs:
            os.close(fd)
        self._in, self._out = ours
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command; events that come meanwhile are looked through for problems of the page."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._in, json.dumps(message).encode() + b"\0")
        end_s = time.monotonic() + _PATIENCE_S
        while True:
            answer = self._receive(end_s - time.monotonic())
            if answer.get("id") == self._number:
                _expect("error" not in answer, str(answer))
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def open(self, url: str, width: int, height: int, *, phone: bool = False) -> None:
        """Shows a page in a view of that size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        _expect("exceptionDetails" not in answer, str(answer))
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Waits until a JavaScript expression is true; the page may still be loading meanwhile."""
        condition = (
            "new Promise(done => { const look = () => { let ok = false; try { ok = !!(EXPRESSION); } catch {} "
            "if (ok) done(true); else setTimeout(look, 50); }; look(); "
            f"setTimeout(() => done(false), {_PATIENCE_S * 500}); }})"
        ).replace("EXPRESSION", expression)
        end_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end_s:
            # A navigation takes the promise with it: ask again on the new page.
            with contextlib.suppress(BrowserError):
                if self.value(condition):
                    return
        raise BrowserError(f"never true on the page: {expression}")

    def screenshot(self, path: Path) -> None:
        """Writes what the view shows as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """Ends the browser."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        os.close(self._in)
        os.close(self._out)

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._out], [], [], max(0.0, timeout_s))
            _expect(bool(ready), "the browser does not answer")
            data = os.read(self._out, 1 << 20)
            _expect(bool(data), "the browser has ended")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(parameters["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")


@contextlib.contextmanager
def started(command: str) -> Iterator[Browser]:
    """A fresh browser with a profile of its own."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        browser = Browser(command, Path(profile))
        try:
            yield browser
        finally:
            browser.close()


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise BrowserError(message)
