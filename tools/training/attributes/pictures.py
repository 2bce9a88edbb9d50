"""Crops of cars in memory, and the views of them that training and evaluation see."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from cloud_apis.attributes.preprocess import MARGIN, SQUARE_PX, centre_square, network_input, resized
from tools.training.attributes.examples import Box, Example

log = logging.getLogger("attributes")
SQUARE: Final = (SQUARE_PX, SQUARE_PX)
KEPT_MARGIN: Final = 0.2
LONGEST_PX: Final = 672
"""Cars as sharp as pictures show them, so that training reduces them as the APIs do."""
NO_COLOUR_SHARE: Final = 0.15
TINT: Final = 0.04
"""Standard deviation of the logarithm of each channel's gain: a white balance that is a little off."""
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A car with room around it, RGB uint8 (H, W, 3), and the car's own box in it, in its pixels."""

    image: Image
    box: Box


def load_crops(examples: Sequence[Example]) -> tuple[list[Example], list[Crop]]:
    """Read and cut the pictures; those that cannot be read, or without the car's box, are left out and counted in
    the log."""
    kept, crops, broken, outside = [], [], 0, 0
    for example in tqdm(examples, desc="pictures", unit="car", mininterval=2):
        picture = cv2.imread(str(example.file), cv2.IMREAD_COLOR)
        if picture is None:
            broken += 1
            continue
        if example.box and not _meets(example.box, *picture.shape[:2]):
            outside += 1
            continue
        kept.append(example)
        crops.append(cut(np.asarray(picture, np.uint8), example.box))
    if broken:
        log.warning("%d of %d pictures cannot be read and are left out", broken, len(examples))
    if outside:
        log.warning("%d of %d boxes lie outside their pictures and are left out", outside, len(examples))
    return kept, crops


def _meets(box: Box, height: int, width: int) -> bool:
    return box[0] < width and box[2] > 0 and box[1] < height and box[3] > 0


def cut(picture: Image, box: Box | None) -> Crop:
    """The car's box with room around it, out of a BGR picture, reduced to at most `LONGEST_PX`."""
    height, width = picture.shape[:2]
    xmin, ymin, xmax, ymax = box or (0.0, 0.0, float(width), float(height))
    room_x, room_y = KEPT_MARGIN * (xmax - xmin), KEPT_MARGIN * (ymax - ymin)
    left, top = max(0, int(xmin - room_x)), max(0, int(ymin - room_y))
    right, bottom = min(width, int(xmax + room_x) + 1), min(height, int(ymax + room_y) + 1)
    image = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
    scale = min(1.0, LONGEST_PX / max(image.shape[:2]))
    if scale < 1:
        high, wide = (max(scale, 1 / side) for side in image.shape[:2])  # a sliver keeps one pixel
        image = np.asarray(cv2.resize(image, None, fx=wide, fy=high, interpolation=cv2.INTER_AREA), np.uint8)
    corners = ((xmin - left) * scale, (ymin - top) * scale, (xmax - left) * scale, (ymax - top) * scale)
    return Crop(np.ascontiguousarray(image[:, :, ::-1]), corners)


def plain_view(crop: Crop, size: tuple[int, int]) -> Image:
    """What the served classifier sees: box and margin, fitted into (height, width), RGB uint8."""
    return _cut_out(crop, crop.box, MARGIN, size)


def random_view(
    crop: Crop, size: tuple[int, int], rng: np.random.Generator, *, square: bool = False, parts: float = 0.0
) -> tuple[Image, bool]:
    """A training view (height, width, 3) RGB uint8, and whether its colours can still be trusted.

    A ``square`` one shows the largest square in the middle, not all of the car; a share of ``parts`` shows a part.
    """
    xmin, ymin, xmax, ymax = _part(crop.box, rng) if parts and rng.random() < parts else crop.box
    width, height = xmax - xmin, ymax - ymin
    shift = rng.normal(0, 0.04, 4) * (width, height, width, height)
    zoom = float(rng.uniform(-0.12, 0.08))
    box = (
        xmin - zoom * width + shift[0], ymin - zoom * height + shift[1],
        xmax + zoom * width + shift[2], ymax + zoom * height + shift[3],
    )  # fmt: skip
    view = _cut_out(crop, box, MARGIN, size, square=square)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    if rng.random() < 0.25:
        view = _turned(view, float(rng.normal(0, 4)))
    if rng.random() < 0.2:
        small = float(rng.uniform(0.35, 0.8))
        reduced = cv2.resize(view, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        view = np.asarray(cv2.resize(reduced, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.uint8)
    view, trusted = _light(view, rng)
    if rng.random() < 0.3:
        view = _erased(view, rng)
    return np.ascontiguousarray(view), trusted


def tensor_of(views: Iterable[Image]) -> Tensor:
    """Views as the network's input, float32 (N, 3, H, W)."""
    return torch.from_numpy(np.concatenate([network_input(view) for view in views]))


def _cut_out(crop: Crop, box: Box, margin: float, size: tuple[int, int], *, square: bool = False) -> Image:
    height, width = crop.image.shape[:2]
    room_x, room_y = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    left, top = max(0, round(box[0] - room_x)), max(0, round(box[1] - room_y))
    right, bottom = min(width, round(box[2] + room_x)), min(height, round(box[3] + room_y))
    left, top = min(left, width - 1), min(top, height - 1)
    image = crop.image[top : max(bottom, top + 1), left : max(right, left + 1)]
    if square:
        image = centre_square(image)
    return resized(image, *size)


def _part(box: Box, rng: np.random.Generator) -> Box:
    """A part of a car's box, from half to nine tenths as wide and as high."""
    (xmin, ymin, xmax, ymax), (across, down) = box, rng.uniform(0.5, 0.9, 2)
    width, height = (xmax - xmin) * float(across), (ymax - ymin) * float(down)
    left = xmin + float(rng.random()) * (xmax - xmin - width)
    top = ymin + float(rng.random()) * (ymax - ymin - height)
    return left, top, left + width, top + height


def _turned(view: Image, degrees: float) -> Image:
    height, width = view.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(view, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def _light(view: Image, rng: np.random.Generator) -> tuple[Image, bool]:
    """Other light, mildly, since colours are to be learnt; now and then wildly, and then they are not."""
    wild = rng.random() < NO_COLOUR_SHARE
    if wild:
        view = view[:, :, rng.permutation(3)] if rng.random() < 0.7 else np.repeat(view[:, :, 1:2], 3, 2)
    strength = 2.0 if wild else 1.0
    ramp = np.linspace(0, 1, 256, dtype=np.float32) ** float(np.exp(rng.normal(0, 0.12 * strength)))
    ramp = (ramp - 0.5) * float(np.exp(rng.normal(0, 0.12 * strength))) + 0.5 + float(rng.normal(0, 0.04 * strength))
    tinted = ramp[:, None] * np.exp(rng.normal(0, TINT * strength, 3))
    table = (np.clip(tinted, 0, 1) * 255).astype(np.uint8)
    view = np.asarray(cv2.LUT(np.ascontiguousarray(view), table[None]), np.uint8)
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = float(rng.uniform(0.8, 1.25))
        view = np.asarray(cv2.addWeighted(view, share, grey, 1 - share, 0), np.uint8)
    return view, not wild


def _erased(view: Image, rng: np.random.Generator) -> Image:
    height, width = view.shape[:2]
    h, w = (int(side * rng.uniform(0.12, 0.4)) for side in (height, width))
    y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
    view = np.ascontiguousarray(view).copy()
    view[y : y + h, x : x + w] = rng.integers(0, 256, 3, dtype=np.uint8)
    return view
