"""rapidocr, which runs PaddleOCR's networks in onnxruntime, as the peer of our reader on plate crops.

Its wheels bring their models along, so nothing is downloaded: `rapidocr-onnxruntime` PP-OCRv4's, `rapidocr` those of
PP-OCRv6. Both are asked with a crop as they come; PP-OCRv4 in two kinder ways too, as its own way was made for pages
of text: it enlarges a crop until its shorter side has 736 pixels.
"""

from __future__ import annotations

import importlib
import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
V4: Final = "rapidocr-onnxruntime"
V6: Final = "rapidocr"
INSTALL: Final = "tools/install.sh bench"
DETECTOR_SIDE_PX: Final = 736


@dataclass(frozen=True, slots=True)
class Peer:
    """A reader of crops, uint8 BGR to plain text, by name; the `size` of its models in bytes."""

    name: str
    read: Callable[[Image], str]
    size: int


def rapidocr_peers(threads: int) -> Iterator[Peer]:
    """What of rapidocr is installed, with so many threads an inference, ready to read."""
    if _version(V4):
        yield from _v4(threads)
    if _version(V6):
        yield from _v6(threads)


def missing() -> list[str]:
    """The packages that are not installed."""
    return [name for name in (V4, V6) if not _version(name)]


def plain_text(text: str) -> str:
    """A text as plates are compared: upper case, full-width letters as plain ones, nothing but A-Z and 0-9."""
    return re.sub("[^A-Z0-9]", "", unicodedata.normalize("NFKC", text).upper())


def joined(boxes: Iterable[NDArray[np.floating[Any]]], texts: Sequence[str]) -> str:
    """The texts of a plate in reading order: lines from top to bottom, each from left to right.

    Boxes are (4, 2), corners in pixels; what overlaps by half its height stands on one line.
    """
    words = []
    for box, text in zip(boxes, texts, strict=True):
        corners = np.asarray(box, float)
        words.append((corners[:, 1].min(), corners[:, 1].max(), corners[:, 0].mean(), text))
    lines: list[list[tuple[float, float, float, str]]] = []
    for word in sorted(words, key=lambda w: w[0] + w[1]):
        above = lines[-1][-1] if lines else None
        if above is not None and min(above[1], word[1]) - max(above[0], word[0]) >= 0.5 * min(
            above[1] - above[0], word[1] - word[0]
        ):
            lines[-1].append(word)
        else:
            lines.append([word])
    return plain_text("".join(w[3] for line in lines for w in sorted(line, key=lambda w: w[2])))


def _v4(threads: int) -> Iterator[Peer]:
    module = importlib.import_module("rapidocr_onnxruntime")
    of_threads = {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
    own = module.RapidOCR(**of_threads)
    kind = module.RapidOCR(**of_threads, det_limit_type="max", det_limit_side_len=DETECTOR_SIDE_PX)
    name, size = f"{V4} {_version(V4)}, PP-OCRv4", _models_size(module)

    def read(engine: Any) -> Callable[[Image], str]:
        def one(crop: Image) -> str:
            found, _ = engine(crop)
            return joined([f[0] for f in found], [f[1] for f in found]) if found else ""

        return one

    def recognise(crop: Image) -> str:
        found, _ = own(crop, use_det=False, use_cls=False)
        return plain_text("".join(f[0] for f in found)) if found else ""

    yield Peer(f"{name}, as it comes", read(own), size)
    yield Peer(f"{name}, crop not enlarged", read(kind), size)
    yield Peer(f"{name}, recognition alone", recognise, size)


def _v6(threads: int) -> Iterator[Peer]:
    module = importlib.import_module("rapidocr")
    engine = module.RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)

    def read(crop: Image) -> str:
        found = engine(crop)
        return joined(found.boxes, found.txts) if found.txts and found.boxes is not None else ""

    yield Peer(f"{V6} {_version(V6)}, PP-OCRv6, as it comes", read, _models_size(module))


def _models_size(module: Any) -> int:
    return sum(p.stat().st_size for p in (Path(module.__file__).parent / "models").glob("*.onnx"))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
