"""Prediction APIs that answer at once, without a model: what is left to measure is the device.

Run as a process of its own, so that none of its work counts as the device's. One plate after the other passes
by, each with its own text, as the clock says; a picture's plate is where it is at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

from cloud_apis.contract import CRNN_PATH, YOLOV3_PATH, PlateBox, Word, crnn_answer, yolov3_answer

PASSING_S: Final = 4.0
GAP_S: Final = 2.0
START_TIMEOUT_S: Final = 30.0
_QUAD: Final = ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0))


def text_of(number: int) -> str:
    """The text of a plate: no two that follow each other look alike."""
    draw = random.Random(number)
    letters, digits = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"
    return "".join(draw.choice(kind) for kind in (letters, letters, digits, digits, letters, letters, letters))


def plate_at(clock_s: float, passing_s: float = PASSING_S, gap_s: float = GAP_S) -> tuple[str, PlateBox] | None:
    """Text and box, in a picture of 416×234, of the plate that passes by at that moment."""
    number, since_s = divmod(clock_s, passing_s + gap_s)
    if since_s > passing_s:
        return None
    way = since_s / passing_s
    width, left, top = 18 + 40 * way, 200 + 140 * way, 120 + 40 * way
    return text_of(int(number)), PlateBox(left, top, left + width, top + width / 4.5, 0.97, (0.99,))


def answer(path: str, body: bytes, passing: tuple[str, PlateBox] | None) -> dict[str, object]:
    """The answer to a request while that plate passes by."""
    if path.endswith(YOLOV3_PATH):
        return yolov3_answer([passing[1]] if passing is not None else [])
    text = passing[0] if passing is not None else text_of(0)
    crops = body.count(b'name="imgs"')
    return crnn_answer([[Word(text, _QUAD, (0.97,) * len(text))]] * crops) if path.endswith(CRNN_PATH) else {}


async def _connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passing_s: float, gap_s: float
) -> None:
    """HTTP/1.1 with keep-alive, as far as the device speaks it."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0].partition(":")[2])) if lengths else b""
            content = json.dumps(
                answer(head.split(" ", 2)[1], body, plate_at(time.monotonic(), passing_s, gap_s))
            ).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
            await writer.drain()
    writer.close()


async def _serve(passing_s: float, gap_s: float) -> None:
    server = await asyncio.start_server(lambda r, w: _connection(r, w, passing_s, gap_s), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def instant_apis(passing_s: float = PASSING_S, gap_s: float = GAP_S) -> Iterator[int]:
    """The APIs in a process of their own; gives their port on loopback.

    A plate passes by for `passing_s`, then there is none for `gap_s`.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.bench.instant_apis", str(passing_s), str(gap_s)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    guard = threading.Timer(START_TIMEOUT_S, process.kill)
    guard.start()
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        guard.cancel()
        if not line.strip().isdecimal():
            raise OSError("the instant APIs did not start")
        yield int(line)
    finally:
        guard.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
