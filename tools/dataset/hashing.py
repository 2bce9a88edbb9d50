"""Fingerprints of pictures that survive another size and another compression.

``phash``: signs of the lowest frequencies of a 32×32 picture against their median, 64 bits, in the manner of C. Zauner,
*Implementation and Benchmarking of Perceptual Image Hash Functions*, 2010. ``dhash``: which of two neighbours is
lighter, 16×16 bits; it settles what the first finds alike.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PHASH_BITS = 64
DHASH_BYTES = 32


def phash(grey: NDArray[np.uint8]) -> int:
    """64 bits of a grey picture, uint8 (H, W), as a signed integer (as SQLite has them)."""
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    low[0] = 0.0  # the mean: how light the picture is as a whole
    bits = np.packbits(low > np.median(low))
    return int(bits.view(">i8")[0])


def dhash(grey: NDArray[np.uint8]) -> bytes:
    """256 bits of a grey picture, uint8 (H, W), as 32 bytes."""
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()
