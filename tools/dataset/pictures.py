"""Pictures in colour, of any format, upright; 16 bits brought to 8, what can be seen through onto white."""

from __future__ import annotations

import os
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tools.training.datasets.pictures import as_light

MAX_PIXELS = 200_000_000


class UnreadableError(OSError):
    """A picture that cannot be read; the message says why, ``reason`` is missing or broken."""

    def __init__(self, message: str, reason: str = "broken") -> None:
        super().__init__(message)
        self.reason = reason


def read_colour(root: bytes, path: bytes, least_px: int | None = None) -> NDArray[np.uint8]:
    """BGR uint8 (H, W, 3); with ``least_px`` a JPEG may be decoded smaller, its sides no shorter than that.

    Raises UnreadableError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(os.fsdecode(os.path.join(root, path))) as opened:  # noqa: PTH118 bytes
                if opened.width * opened.height > MAX_PIXELS:
                    raise UnreadableError(f"it has {opened.width} x {opened.height} pixels")
                if least_px is not None:
                    opened.draft("RGB", (least_px, least_px))
                upright = as_light(ImageOps.exif_transpose(opened)).convert("RGB")
    except UnreadableError:
        raise
    except FileNotFoundError as error:
        raise UnreadableError("it is gone", "missing") from error
    # What Pillow's plugins raise for broken files of their formats.
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, MemoryError, Warning) as error:
        raise UnreadableError(f"it cannot be read ({error})") from error
    return np.asarray(cv2.cvtColor(np.asarray(upright), cv2.COLOR_RGB2BGR), np.uint8)
