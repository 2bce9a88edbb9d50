"""Boxes as people label them, made fit for training: in pixels of the upright picture, inside it, with area."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.training.datasets.labels import LabelledPicture
from tools.training.datasets.pictures import Picture, turn_boxes
from tools.training.datasets.problems import Kind, Problems

ROUNDING_PX = 1.0
LEAST_SIDE_PX = 1.0
LEAST_VISIBLE = 0.2


def usable_boxes(
    labelled: LabelledPicture, picture: Picture, problems: Problems, chosen: frozenset[str]
) -> tuple[NDArray[np.float32], list[str | None]]:
    """Corners float32 (n, 4) in pixels of ``picture.image`` and the texts of the boxes of the chosen classes.

    Boxes that leave the picture are clipped, those that are outside (but for a fifth) or have no area are left
    out, each counted; corners in the wrong order are put right.
    """
    kept = [box for box in labelled.boxes if not chosen or box.label in chosen]
    if len(kept) < len(labelled.boxes):
        left_out = sorted({box.label for box in labelled.boxes} - chosen)
        problems.note(Kind.OTHER_CLASS, labelled.where, f"not taken as plates: {', '.join(left_out)}")
    if not kept:
        return np.zeros((0, 4), np.float32), []
    boxes = in_pixels(labelled, np.array([box.corners for box in kept], np.float64), picture, problems)
    height, width = picture.image.shape
    inside = np.clip(boxes, 0, [width, height, width, height])
    result, texts = [], []
    for box, cut, source in zip(boxes, inside, kept, strict=True):
        shown = ", ".join(f"{v:.0f}" for v in box)
        if (box[2:] - box[:2] < LEAST_SIDE_PX).any():
            problems.note(Kind.EMPTY_BOX, labelled.where, f"the box {shown} has no area")
            continue
        if np.prod(cut[2:] - cut[:2]) < LEAST_VISIBLE * np.prod(box[2:] - box[:2]):
            problems.note(Kind.OUTSIDE_BOX, labelled.where, f"the box {shown} lies outside {width} x {height} pixels")
            continue
        if np.abs(cut - box).max() > ROUNDING_PX:
            problems.note(Kind.CLIPPED_BOX, labelled.where, f"the box {shown} leaves {width} x {height} pixels")
        result.append(cut)
        texts.append(source.text)
    return np.array(result, np.float32).reshape(-1, 4), texts


def in_pixels(
    labelled: LabelledPicture, boxes: NDArray[np.float64], picture: Picture, problems: Problems
) -> NDArray[np.float64]:
    """Boxes (n, 4) of a label as corners in pixels of the upright picture, in order; ``picture`` counts by its size."""
    upright = (picture.image.shape[1], picture.image.shape[0])
    if labelled.relative:
        boxes = boxes * [*upright, *upright]
    elif labelled.size_px is not None and labelled.size_px != upright:
        if labelled.size_px == picture.stored_px:
            # Labelled without regard to the EXIF orientation: the boxes are turned with the picture.
            return turn_boxes(boxes, picture.stored_px, picture.orientation)
        stated = labelled.size_px
        what = f"the picture has {upright[0]} x {upright[1]} pixels, its label says {stated[0]} x {stated[1]}"
        problems.note(Kind.OTHER_SIZE, labelled.where, what)
        scale = np.array(upright) / stated
        boxes = boxes * [*scale, *scale]
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([low, high], axis=1)
