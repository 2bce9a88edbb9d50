"""The control of the soak: the dashcam with a leak, `python -m tools.faults.soak.leaking run …`."""

from __future__ import annotations

import os
import sys
import threading
from typing import Final

from edge_client.cli import main

_PAUSE_S: Final = 0.25
_LEAKED_BYTES: Final = 2**20


def leak() -> None:
    """Four megabytes and four descriptors a second, for ever."""
    kept: list[tuple[bytearray, int]] = []
    pause = threading.Event()
    while not pause.wait(_PAUSE_S):
        kept.append((bytearray(os.urandom(1024) * (_LEAKED_BYTES // 1024)), os.open(os.devnull, os.O_RDONLY)))


if __name__ == "__main__":
    threading.Thread(target=leak, daemon=True).start()
    sys.exit(main())
