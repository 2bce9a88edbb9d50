"""From the detector's raw outputs to boxes: YOLOv3 decoding and greedy non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)
"""The strides of the original's three scales: those of a model whose manifest names none."""
ANCHORS_PER_SCALE = 3
# More boxes than this above the threshold are noise; keeping the best bounds the work.
MAX_CANDIDATES = 512
# Candidates that overlap a kept box this much stand for the same edges (chosen on training pictures).
VOTE_IOU = 0.65


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Decoded boxes: corners (N, 4) in input pixels, objectness (N,), class scores (N, C).

    Corners are xmin, ymin, xmax, ymax.
    """

    corners: NDArray[np.float32]
    objectness: NDArray[np.float32]
    classes: NDArray[np.float32]

    def scores(self) -> NDArray[np.float32]:
        """Objectness times the best class score, (N,)."""
        best: NDArray[np.float32] = self.objectness * self.classes.max(axis=1)
        return best

    def take(self, index: NDArray[np.intp]) -> Candidates:
        """Those at the given places, in that order."""
        return Candidates(self.corners[index], self.objectness[index], self.classes[index])


def decode(
    outputs: Sequence[NDArray[np.float32]],
    anchors: NDArray[np.float32],
    obj_thresh: float,
    item: int = 0,
    strides: Sequence[int] = STRIDES,
) -> Candidates:
    """Decode one picture of a batch; those below `obj_thresh` (objectness times class) are left out.

    `outputs` are raw logits (N, A * (5 + C), H / s, W / s), one array for each stride s, anchor-major; `anchors`
    is (A * scales, 2), widths and heights in input pixels, smallest first. Best scores come first.
    """
    # The class score is at most 1, so the objectness alone must reach the threshold: no exp() for the rest.
    least_logit = float(np.log(obj_thresh / (1 - obj_thresh))) if 0 < obj_thresh < 1 else np.inf
    if obj_thresh <= 0:
        least_logit = -np.inf
    found = []
    for scale, (stride, output) in enumerate(zip(strides, outputs, strict=True)):
        _, channels, rows, columns = output.shape
        grid = output[item].reshape(ANCHORS_PER_SCALE, channels // ANCHORS_PER_SCALE, rows * columns)
        anchor, cell = np.nonzero(grid[:, 4] >= least_logit)
        if anchor.size == 0:
            continue
        logits = grid[anchor, :, cell]
        size = np.exp(np.clip(logits[:, 2:4], -10, 10)) * anchors[scale * ANCHORS_PER_SCALE + anchor]
        corner = np.stack([cell % columns, cell // columns], axis=1)
        centre = (_sigmoid(logits[:, :2]) + corner) * stride
        probabilities = _sigmoid(logits[:, 4:])
        corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        found.append(Candidates(corners.astype(np.float32), probabilities[:, 0], probabilities[:, 1:]))
    if not found:
        return Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 1), np.float32))
    together = Candidates(
        np.concatenate([f.corners for f in found]),
        np.concatenate([f.objectness for f in found]),
        np.concatenate([f.classes for f in found]),
    )
    scores = together.scores()
    order = np.argsort(-scores, kind="stable")
    return together.take(order[scores[order] >= obj_thresh][:MAX_CANDIDATES])


def suppress(corners: NDArray[np.float32], nms_thresh: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression over boxes (N, 4), best first: the places of those that stay.

    A box goes when its intersection over union with a better box that stays is more than `nms_thresh`.
    """
    remaining = np.arange(len(corners))
    kept = []
    while remaining.size:
        best, remaining = remaining[0], remaining[1:]
        kept.append(best)
        remaining = remaining[overlaps(corners[best], corners[remaining]) <= nms_thresh]
    return np.array(kept, np.intp)


def best_boxes(candidates: Candidates, nms_thresh: float) -> Candidates:
    """One box per plate: those that suppression keeps, their corners voted by the candidates on the same plate.

    Each kept box becomes the mean, weighted by score, of all candidates that overlap it by `VOTE_IOU` or more
    ("box voting", Gidaris and Komodakis 2015, arXiv:1505.01749): neighbouring anchors and scales err apart.
    """
    kept = suppress(candidates.corners, nms_thresh)
    best, scores = candidates.take(kept), candidates.scores()
    voted = [
        np.average(candidates.corners[alike], axis=0, weights=scores[alike]) if alike.any() else corners
        for corners, alike in ((one, overlaps(one, candidates.corners) >= VOTE_IOU) for one in best.corners)
    ]
    corners = np.array(voted, np.float32).reshape(-1, 4)
    return Candidates(corners, best.objectness, best.classes)


def overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box (4,) with others (N, 4): (N,), and 0 where both are without area."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    union = np.prod(np.maximum(box[2:] - box[:2], 0)) + areas - common
    shares: NDArray[np.float32] = common / np.maximum(union, 1e-9)
    return shares


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-np.clip(x, -60, 60)))).astype(np.float32, copy=False)
