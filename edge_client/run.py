"""One drive from its source to its displays and reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from edge_client.config import EdgeSettings
from edge_client.types import Display, LiveStatus, ReadStore, Summary


def run_drive(
    settings: EdgeSettings,
    source: str,
    displays: Sequence[Display],
    store: ReadStore,
    stop: threading.Event,
    *,
    on_status: Callable[[LiveStatus], None] | None = None,
) -> Summary:
    """Play the source to its end, or until ``stop`` is set, and return the counters.

    ``source`` is a video file, a folder of pictures, an rtsp:// or http(s):// URL, or a V4L2 device
    (``/dev/video0`` or its number). ``on_status`` is called about twice a second, from the coordinator's
    thread, and must not block. The displays and the store are closed before this returns or raises.

    Raises a `DashcamError` whose message is one line; degradations are counted and logged to the logger
    ``edge_client`` as warnings.
    """
    raise NotImplementedError
