"""What one core of this machine does while all of them are busy, measured with the models that are served."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cloud_apis.images import encode_jpeg
from cloud_apis.names import Api
from cloud_apis.services import load_services
from cloud_apis.settings import ApiSettings, load_settings
from deploy.planning.capacity import Throughput

FRAME = (234, 416)
"""Height and width of the reduced 16:9 frame that a device sends."""
_WARM_UP = 5


def measure(models: Path | None, seconds: float, cores: int | None = None) -> Throughput:
    """Find plates, then read plates, for half of ``seconds`` each, with one thread on each core.

    Cores are as the system counts them: two threads of one core do less together than twice what one does alone,
    so all are kept busy. Decoding the JPEG is included, HTTP is not (it costs about a hundredth).
    """
    cores = cores or len(os.sched_getaffinity(0))
    settings = load_settings()
    if models is not None:
        settings = settings.model_copy(update={"models": str(models)})
    services = load_services(_busy(settings, cores), (Api.YOLOV3, Api.CRNN))
    assert services.detector is not None and services.crops is not None  # noqa: S101 - for the type checker
    try:
        return Throughput(
            _rate(partial(services.detector.submit, _frame()), cores, seconds / 2),
            _rate(partial(services.crops.submit, [_crop()]), cores, seconds / 2),
        )
    finally:
        services.close()


def _busy(settings: ApiSettings, cores: int) -> ApiSettings:
    wanted = {"workers": cores, "threads": 1, "queue": 2 * cores}
    return settings.model_copy(
        update={
            "yolov3": settings.yolov3.model_copy(update={**wanted, "batch": 1}),
            "crnn": settings.crnn.model_copy(update=wanted),
        }
    )


def _rate(submit: Callable[[], Future[Any]], cores: int, seconds: float) -> float:
    """Jobs a second on each core, with always one waiting behind each that is worked on."""
    under_way: deque[Future[Any]] = deque(submit() for _ in range(2 * cores))
    for _ in range(_WARM_UP * cores):
        under_way.popleft().result()
        under_way.append(submit())
    count, begun_s = 0, time.perf_counter()
    while (passed_s := time.perf_counter() - begun_s) < seconds:
        under_way.popleft().result()
        under_way.append(submit())
        count += 1
    for future in under_way:
        future.cancel()
    return count / passed_s / cores


def _frame() -> bytes:
    """Noise smoothed to something like a street's detail: the network's time does not depend on what it sees."""
    noise = np.random.default_rng(1).integers(0, 255, (*FRAME, 3), np.uint8)
    return encode_jpeg(np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8))


def _crop() -> bytes:
    plate = np.full((50, 200, 3), 230, np.uint8)
    cv2.putText(plate, "B 101 ABC", (8, 37), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 3, cv2.LINE_AA)
    return encode_jpeg(plate)
