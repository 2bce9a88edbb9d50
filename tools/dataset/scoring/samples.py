"""Samples for a scorer, cut from labelled photos: whole cars with some surroundings, parts of cars, and no cars."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2

from tools.dataset.scoring.scorer import Image

Kind = Literal["car", "detail", "no car"]
Box = tuple[float, float, float, float]
DEV_SHARE = 10
"""One photo in so many is kept aside to measure on."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A cut, BGR uint8 (H, W, 3), what it shows, and whether it is kept aside."""

    image: Image
    kind: Kind
    dev: bool


def samples(labels: Path, seed: int = 7, limit: int | None = None) -> Iterator[Sample]:
    """Cuts from the photos of a COCO file whose boxes say a car's ``colour`` or ``make`` where a person saw it.

    Of each such car a view with up to 60 % of its size around it, two parts of 15 to 45 % of its sides, and from the
    photo up to two places that touch no box of any vehicle.
    """
    content: Any = json.loads(labels.read_text(encoding="utf-8"))
    boxes: dict[int, list[dict[str, Any]]] = {}
    for annotation in content["annotations"]:
        boxes.setdefault(annotation["image_id"], []).append(annotation)
    for image in content["images"][:limit]:
        seen = boxes.get(image["id"], [])
        picture = cv2.imread(str(labels.parent / image["file_name"]), cv2.IMREAD_COLOR)
        if picture is None or not seen:
            continue
        dev = zlib.crc32(image["file_name"].encode()) % DEV_SHARE == 0
        generator = random.Random(f"{seed}:{image['file_name']}")
        pixels = picture.astype("uint8", copy=False)
        for annotation in seen:
            if annotation.get("colour") or annotation.get("make"):
                yield from _of_car(pixels, tuple(annotation["bbox"]), dev, generator)
        for _ in range(2):
            cut = _away_from(pixels, [tuple(a["bbox"]) for a in seen], generator)
            if cut is not None:
                yield Sample(cut, "no car", dev)


def _of_car(picture: Image, box: Box, dev: bool, generator: random.Random) -> Iterator[Sample]:
    x, y, width, height = box
    if min(width, height) < 60:
        return
    around = [generator.uniform(0.0, 0.6) for _ in range(4)]
    whole = _cut(
        picture,
        x - around[0] * width,
        y - around[1] * height,
        x + (1 + around[2]) * width,
        y + (1 + around[3]) * height,
    )
    if whole is not None:
        yield Sample(whole, "car", dev)
    for _ in range(2):
        part_w, part_h = (generator.uniform(0.15, 0.45) * side for side in (width, height))
        left, top = x + generator.random() * (width - part_w), y + generator.random() * (height - part_h)
        part = _cut(picture, left, top, left + part_w, top + part_h)
        if part is not None:
            yield Sample(part, "detail", dev)


def _away_from(picture: Image, boxes: list[Box], generator: random.Random) -> Image | None:
    height, width = picture.shape[:2]
    for _ in range(12):
        w, h = generator.uniform(0.2, 0.7) * width, generator.uniform(0.2, 0.7) * height
        left, top = generator.random() * (width - w), generator.random() * (height - h)
        if all(left > x + bw or left + w < x or top > y + bh or top + h < y for x, y, bw, bh in boxes):
            return _cut(picture, left, top, left + w, top + h)
    return None


def _cut(picture: Image, left: float, top: float, right: float, bottom: float) -> Image | None:
    rows = slice(max(0, int(top)), max(0, int(bottom)))
    columns = slice(max(0, int(left)), max(0, int(right)))
    cut = picture[rows, columns]
    return cut if min(cut.shape[:2]) >= 16 else None
