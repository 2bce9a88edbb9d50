"""Our detector beside a full YOLOv3-416, our reader beside rapidocr, and both together: in one run, on the same
pictures and cores."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cloud_apis.images import encode_jpeg
from cloud_apis.names import Api
from cloud_apis.services import load_services
from cloud_apis.services.plates import PictureRequest
from cloud_apis.settings import ApiSettings
from cloud_apis.yolov3.preprocess import fit, network_input
from tools.bench.darknet53 import yolov3
from tools.bench.figures import Timing, timing
from tools.bench.latency import session
from tools.bench.peers import Image, plain_text, rapidocr_peers
from tools.evaluation import parts

T = TypeVar("T")
R = TypeVar("R")
Crop = tuple[Image, str]
"""A crop of a plate, uint8 BGR, and its text."""

NET_PX: Final = 416
WARM_UP: Final = 3
PEER_DETECTOR: Final = f"YOLOv3, Darknet-53, float32 (peer), {NET_PX}×{NET_PX}"
OUR_DETECTOR: Final = f"our detector's network, {NET_PX}×{NET_PX}"
OUR_STEP: Final = "our detector, photo to boxes"
OUR_READER: Final = "our reader, CRAFT and CRNN"


@dataclass(frozen=True, slots=True)
class Row:
    """How long one contestant takes for one item with so many threads; processor time over all threads.

    `exact` of `items` were read exactly, None for detectors. `reference` marks what the others are compared with.
    """

    name: str
    threads: int
    wall: Timing
    cpu: Timing
    items: int
    exact: int | None = None
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Throughput:
    """Photos a second through detector and reader, with so many photos worked on at a time."""

    workers: int
    photos: int
    plates: int
    seconds: float
    cpu_s: float

    @property
    def rate_hz(self) -> float:
        """Photos a second."""
        return self.photos / self.seconds


def settings_of(chosen: ApiSettings, *, threads: int = 1, workers: int = 1) -> ApiSettings:
    """The settings with so many threads in an inference, and so many requests at a time."""
    served = {"threads": threads, "workers": workers, "queue": 4096}
    return chosen.model_copy(
        update={
            "yolov3": chosen.yolov3.model_copy(update=served),
            "craft": chosen.craft.model_copy(update={"threads": threads}),
            "crnn": chosen.crnn.model_copy(update=served),
        }
    )


def detectors(
    chosen: ApiSettings, photos: Sequence[Image], threads: int, repeats: int, kind: str = ""
) -> Iterator[Row]:
    """Our network alone at 416×416, and our whole step from pixels to boxes; `kind` is added to the names."""
    model = parts.models_folder(chosen) / "yolov3.onnx"
    network = session(model, threads)
    inputs = [network_input(g, fit(g.shape[1], g.shape[0], NET_PX, NET_PX))[None] for g in map(_square, photos)]
    wall, cpu, _ = _timed(lambda x: network.run(None, {"image": x}), inputs, repeats)
    yield Row(OUR_DETECTOR + kind, threads, wall, cpu, len(inputs))
    detect = parts.detector(settings_of(chosen, threads=threads), model, NET_PX, threshold=chosen.yolov3.obj_thresh)
    wall, cpu, _ = _timed(detect, photos, repeats)
    yield Row(OUR_STEP + kind, threads, wall, cpu, len(photos))


def peer_detector(photos: Sequence[Image], threads: int) -> Row:
    """The full YOLOv3's network alone at 416×416, on the same photos."""
    network = session(yolov3().SerializeToString(), threads)
    inputs = [_colours(photo) for photo in photos]
    wall, cpu, _ = _timed(lambda x: network.run(None, {"image": x}), inputs, 1)
    return Row(PEER_DETECTOR, threads, wall, cpu, len(inputs), reference=True)


def reader(chosen: ApiSettings, crops: Sequence[Crop], threads: int, repeats: int, kind: str = "") -> Row:
    """Our reader (lines found, straightened, recognised), crop by crop; `kind` is added to the name."""
    read = parts.reader(settings_of(chosen, threads=threads))
    return _read(OUR_READER + kind, lambda crop: read(crop).text, crops, threads, repeats)


def peer_readers(crops: Sequence[Crop], threads: int) -> Iterator[Row]:
    """What there is of rapidocr, on the same crops."""
    for peer in rapidocr_peers(threads):
        yield replace(_read(f"{peer.name}, {peer.size / 1e6:.1f} MB", peer.read, crops, threads, 1), reference=True)


def _read(name: str, read: Callable[[Image], str], crops: Sequence[Crop], threads: int, repeats: int) -> Row:
    wall, cpu, texts = _timed(read, [crop for crop, _ in crops], repeats)
    exact = sum(text == plain_text(truth) for text, (_, truth) in zip(texts, crops, strict=True))
    return Row(name, threads, wall, cpu, len(crops), exact)


def throughput(chosen: ApiSettings, photos: Sequence[Image], workers: int, repeats: int) -> Throughput:
    """Photos as JPEG through the prediction APIs' own pool of workers, without HTTP."""
    services = load_services(settings_of(chosen, workers=workers), [Api.READER])
    pictures = services.pictures
    if pictures is None:
        raise ValueError("the services have no reader of pictures")
    requests = [PictureRequest(encode_jpeg(photo, 92), annotated=False) for photo in photos]

    async def all_of(chosen_requests: Sequence[PictureRequest]) -> int:
        answers = await asyncio.gather(*(pictures.run(r) for r in chosen_requests))
        return sum(len(a.plates) for a in answers)

    try:
        asyncio.run(all_of(requests[:WARM_UP]))
        start, cpu = time.perf_counter(), time.process_time()
        plates = asyncio.run(all_of(requests * repeats))
        seconds, used = time.perf_counter() - start, time.process_time() - cpu
    finally:
        services.close()
    return Throughput(workers, len(requests) * repeats, plates, seconds, used)


@dataclass(frozen=True, slots=True)
class Share:
    """What a contestant takes of a reference's time with as many threads: medians of wall and processor time."""

    name: str
    reference: str
    threads: int
    wall: float
    cpu: float


def shares(rows: Sequence[Row], name: str) -> list[Share]:
    """The named contestant beside each reference."""
    return [
        Share(name, other.name, row.threads, _part(row.wall, other.wall), _part(row.cpu, other.cpu))
        for row in rows
        if row.name == name
        for other in rows
        if other.reference and other.threads == row.threads
    ]


def _part(one: Timing, other: Timing) -> float:
    return one.median_s / other.median_s if other.median_s else math.nan


def _timed(run: Callable[[T], R], items: Sequence[T], repeats: int) -> tuple[Timing, Timing, list[R]]:
    """Wall and processor time per item over all repeats, and the results of the last one."""
    for item in items[:WARM_UP]:
        run(item)
    walls, cpus = [], []
    results: list[R] = []
    for _ in range(repeats):
        results = []
        for item in items:
            start, cpu = time.perf_counter(), time.process_time()
            results.append(run(item))
            walls.append(time.perf_counter() - start)
            cpus.append(time.process_time() - cpu)
    return timing(walls), timing(cpus), results


def _square(photo: Image) -> NDArray[np.uint8]:
    """The photo in grey, filled up to a square below: fitted, it takes all of the network's input."""
    grey = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8)
    side = max(grey.shape)
    square = np.full((side, side), 127, np.uint8)
    square[: grey.shape[0], : grey.shape[1]] = grey
    return square


def _colours(photo: Image) -> NDArray[np.float32]:
    """The same square in RGB, (1, 3, 416, 416) float32 in 0..1, as Darknet takes it."""
    side = max(photo.shape[:2])
    square = np.full((side, side, 3), 127, np.uint8)
    square[: photo.shape[0], : photo.shape[1]] = photo
    small = cv2.resize(square, (NET_PX, NET_PX), interpolation=cv2.INTER_AREA)
    planes = small[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(planes[None])
