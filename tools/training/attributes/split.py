"""Which pictures are held out to make choices on: by a hash, near duplicates and listings always together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.training.attributes.examples import Example
from tools.training.attributes.pictures import Crop

DEV_PERCENT = 12
ALIKE = 0.95
"""Correlation of two reduced pictures from which on they show the same car at the same moment, or are copies."""
SIDE_PX = 16


def groups(crops: Sequence[Crop], listings: Sequence[str] = ()) -> NDArray[np.int64]:
    """The number of the first picture that each one is a near duplicate of, directly or by others; shape (N,).

    With the pictures' ``listings``, "" for none, those of one listing belong together too.
    """
    if not crops:
        return np.zeros(0, np.int64)
    rows = []
    for crop in crops:
        grey = cv2.cvtColor(crop.image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        small -= small.mean()
        rows.append(small / max(1e-6, float(np.linalg.norm(small))))
    table = np.stack(rows)
    mirrored = table.reshape(-1, SIDE_PX, SIDE_PX)[:, :, ::-1].reshape(len(table), -1)
    leader = np.arange(len(table))
    for row in range(1, len(table)):
        close = np.maximum(table[:row] @ table[row], mirrored[:row] @ table[row]) >= ALIKE
        for other in np.unique(leader[:row][close]):
            smallest = min(leader[row], other)
            leader[np.isin(leader, (leader[row], other))] = smallest
    rows_of: dict[str, list[int]] = {}
    for row, listing in enumerate(listings):
        rows_of.setdefault(listing, []).append(row)
    for listing, together in rows_of.items():
        if listing and len(together) > 1:
            joined = np.unique(leader[together])
            leader[np.isin(leader, joined)] = joined[0]
    return leader


def in_dev(examples: Sequence[Example], leaders: NDArray[np.int64], percent: float = DEV_PERCENT) -> NDArray[np.bool_]:
    """Whether each example is held out, bool (N,); a group follows its first picture's name."""
    chosen = [
        int.from_bytes(hashlib.sha256(examples[leader].name.encode()).digest()[:4], "big") % 10_000 < 100 * percent
        for leader in leaders
    ]
    return np.array(chosen, bool)
