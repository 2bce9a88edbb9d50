"""How long one inference of each model takes, with the full YOLOv3 in float32 as the peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from cloud_apis.crnn.preprocess import HEIGHT_PX, WIDTH_PX
from tools.bench.darknet53 import yolov3
from tools.bench.figures import Timing, timed

SHAPES: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "yolov3": ((1, 1, 256, 416), (1, 1, 416, 416)),
    "craft": ((1, 1, 96, 192),),
    "crnn": ((1, 1, HEIGHT_PX, WIDTH_PX), (8, 1, HEIGHT_PX, WIDTH_PX)),
}
"""Inputs that are timed: a 16:9 frame and a square photo, one crop, one word and eight."""
PEER: Final = "YOLOv3, Darknet-53, float32 (peer)"
PEER_SHAPE: Final = (1, 3, 416, 416)
PEER_REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class Latency:
    """One row: a model, its input, its threads, and how long a run takes."""

    model: str
    shape: tuple[int, ...]
    threads: int
    timing: Timing


def session(model: Path | bytes, threads: int) -> ort.InferenceSession:
    """A session as the APIs make them: so many threads, none of them spinning."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    content = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def measure(
    folder: Path, *, threads: Sequence[int], warm_up: int, repeats: int, peer: bool = True
) -> Iterator[Latency]:
    """Times every model of the folder that is there, and the peer, one row at a time."""
    for name, shapes in SHAPES.items():
        path = folder / f"{name}.onnx"
        if not path.is_file():
            continue
        for count in threads:
            running = session(path, count)
            for shape in shapes:
                yield _row(name, running, shape, count, warm_up=warm_up, repeats=repeats)
    if peer:
        content = yolov3().SerializeToString()
        for count in threads:
            running = session(content, count)
            yield _row(PEER, running, PEER_SHAPE, count, warm_up=1, repeats=min(repeats, PEER_REPEATS))


def _row(
    name: str, running: ort.InferenceSession, shape: tuple[int, ...], threads: int, *, warm_up: int, repeats: int
) -> Latency:
    image: NDArray[np.float32] = np.random.default_rng(0).random(shape, np.float32)
    result = timed(lambda: running.run(None, {"image": image}), warm_up=warm_up, repeats=repeats)
    return Latency(name, shape, threads, result)
