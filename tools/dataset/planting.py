"""A made-up catalogue with planted faults, of which it is known what is wrong with each file."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Fault = Literal["", "broken", "empty", "blank", "small", "duplicate", "alike"]
MODELS = ("a/one", "a/two", "b/three", "b/four", "c/five", "c/six")
YEARS = range(2005, 2021)
PICTURES_A_LISTING = 8
FAULTS: tuple[tuple[Fault, float], ...] = (
    ("broken", 0.03),
    ("empty", 0.01),
    ("blank", 0.01),
    ("small", 0.01),
    ("duplicate", 0.04),
    ("alike", 0.04),
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A file of the catalogue, its path relative to it, and what is wrong with it ("": nothing)."""

    path: str
    fault: Fault


def plant(root: Path, files: int, seed: int, progress: Callable[[int], object]) -> Iterator[Planted]:
    """Writes pictures until there are so many files, and tells of each.

    A duplicate, or a picture that looks alike, is one of a sound picture written before it, in the order in which the
    catalogue is read. It lies in the same listing or in any later one.
    """
    generator = random.Random(seed)
    noise = np.random.default_rng(seed)
    kept: list[tuple[bytes, NDArray[np.uint8]]] = []  # a few sound pictures, of which doubles may be made
    written: set[bytes] = set()
    for number in range(files):
        folder, name = _place(number, files)
        if number % PICTURES_A_LISTING == 0:
            (root / folder).mkdir(parents=True, exist_ok=True)
        fault = _fault(generator)
        if fault in ("duplicate", "alike") and not kept:
            fault = ""
        content = _content(fault, generator, noise, kept)
        if fault == "alike":
            digest = hashlib.blake2b(content, digest_size=16).digest()
            if digest in written:  # the same size and compression of the same picture as once before
                fault = "duplicate"
            written.add(digest)
        (root / folder / name).write_bytes(content)
        progress(1)
        yield Planted(f"{folder}/{name}", fault)


def _place(number: int, files: int) -> tuple[str, str]:
    """Folder and name; they ascend with the number, as the catalogue is read."""
    listings = -(-files // PICTURES_A_LISTING)
    listing = number // PICTURES_A_LISTING
    group = listing * len(MODELS) * len(YEARS) // listings
    make_model = sorted(MODELS)[group // len(YEARS)]
    year = YEARS[group % len(YEARS)]
    return f"{make_model}/{year}/{listing:07d}", f"{number % PICTURES_A_LISTING:02d}.jpg"


def _fault(generator: random.Random) -> Fault:
    drawn = generator.random()
    for fault, share in FAULTS:
        if drawn < share:
            return fault
        drawn -= share
    return ""


def _content(
    fault: Fault, generator: random.Random, noise: np.random.Generator, kept: list[tuple[bytes, NDArray[np.uint8]]]
) -> bytes:
    if fault == "empty":
        return b"" if generator.random() < 0.5 else bytes(generator.randrange(1, 3000))
    if fault == "blank":
        return _jpeg(np.full((48, 64, 3), generator.randrange(256), np.uint8), 80)
    if fault == "small":
        return _jpeg(_scene(noise)[:20, :64], 80)
    if fault == "broken":
        return _broken(_jpeg(_scene(noise), 85), generator)
    if fault == "duplicate":
        return generator.choice(kept)[0]
    if fault == "alike":
        picture = generator.choice(kept)[1]
        scale = generator.choice((0.75, 1.0, 1.25))
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        other = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        return _jpeg(other, generator.choice((55, 65, 75)))
    picture = _scene(noise)
    content = _jpeg(picture, 85)
    if len(kept) < 500:
        kept.append((content, picture))
    elif generator.random() < 0.05:
        kept[generator.randrange(len(kept))] = (content, picture)
    return content


def _scene(noise: np.random.Generator) -> NDArray[np.uint8]:
    """Soft patches of colour, no two alike: BGR uint8 (48, 64, 3)."""
    patches = noise.integers(0, 256, (7, 9, 3), np.uint8)
    return np.asarray(cv2.resize(patches, (64, 48), interpolation=cv2.INTER_CUBIC), np.uint8)


def _jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture[:, :, ::-1]).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _broken(content: bytes, generator: random.Random) -> bytes:
    match generator.randrange(4):
        case 0:  # cut off, as a download that ended early
            return content[: generator.randrange(200, len(content) - 20)]
        case 1:  # an error page under a picture's name
            return b"<!DOCTYPE html><html><title>404 Not Found</title></html>\n" * 5
        case 2:  # not a picture at all
            return generator.randbytes(800)
        case _:  # zeros from some place on, as after a power cut
            at = generator.randrange(len(content) // 3, len(content) * 2 // 3)
            return content[:at] + bytes(len(content) - at)
