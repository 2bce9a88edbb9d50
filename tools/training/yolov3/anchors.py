"""Anchors by k-means over box sizes with 1 - IoU as the distance (YOLO9000, arXiv:1612.08242, section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def size_iou(sizes: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of concentric boxes: sizes (n, 2) against anchors (k, 2), as (n, k)."""
    intersection = np.minimum(sizes[:, None], anchors[None]).prod(2)
    union = sizes.prod(1)[:, None] + anchors.prod(1)[None] - intersection
    ratio: NDArray[np.float64] = intersection / union
    return ratio


def kmeans(sizes: NDArray[np.float64], k: int = 12, seed: int = 0, rounds: int = 100) -> NDArray[np.float64]:
    """Cluster widths and heights (n, 2) into k anchors (k, 2), ascending by area."""
    rng = np.random.default_rng(seed)
    by_area = sizes[np.argsort(sizes.prod(1))]
    anchors = by_area[((np.arange(k) + rng.uniform(0.3, 0.7, k)) * len(sizes) / k).astype(int)]
    for _ in range(rounds):
        nearest = size_iou(sizes, anchors).argmax(1)
        moved = np.array([np.median(sizes[nearest == i], 0) if (nearest == i).any() else anchors[i] for i in range(k)])
        if np.allclose(moved, anchors):
            break
        anchors = moved
    ascending: NDArray[np.float64] = anchors[np.argsort(anchors.prod(1))]
    return ascending
