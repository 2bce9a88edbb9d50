"""Average precision of each class on held-out pictures."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cloud_apis.yolov3.postprocess import best_boxes, decode
from tools.evaluation.detection import average_precision
from tools.training.attributes.pictures import tensor_of
from tools.training.common.device import Compute
from tools.training.vehicles.augment import letterbox
from tools.training.vehicles.dataset import HAND_MADE, Sample
from tools.training.vehicles.network import LABELS, STRIDES
from tools.training.yolov3.evaluate import LEAST_SCORE, NMS

DEV_PERCENT = 12
SIZE_PX = 416
Array = NDArray[np.float64]


def in_dev(sample: Sample) -> bool:
    """Whether a picture with hand-made boxes is held out for choices, by a hash of its name."""
    return sample.source in HAND_MADE and hashlib.sha256(sample.name.encode()).digest()[0] * 100 < DEV_PERCENT * 256


@torch.no_grad()
def precisions(network: nn.Module, anchors: Tensor, samples: Sequence[Sample], compute: Compute) -> dict[str, float]:
    """AP@0.5 of each class and their mean, of pictures fitted into a square as the APIs fit them."""
    network.eval()

    def run(image: Tensor) -> list[NDArray[np.float32]]:
        with compute.autocast():
            return [out.float().cpu().numpy() for out in network(compute.images(image))]

    return precisions_of(run, anchors.cpu().numpy(), samples)


def precisions_of(
    run: Callable[[Tensor], Sequence[NDArray[np.float32]]], anchors: NDArray[np.float32], samples: Sequence[Sample]
) -> dict[str, float]:
    """The same of anything that gives the raw outputs of a picture (1, 3, H, W)."""
    found, truths = [], []
    for sample in samples:
        picture, boxes = letterbox(sample, SIZE_PX)
        found.append(detections(run(tensor_of([picture])), anchors))
        truths.append(boxes.astype(np.float64))
    figures = {}
    for number, label in enumerate(LABELS):
        of_class = [rows[rows[:, 5] == number] for rows in found]
        figures[label] = average_precision(of_class, [rows[rows[:, 4] == number][:, :4] for rows in truths])
    known = [value for value in figures.values() if not math.isnan(value)]
    return {**figures, "mean": float(np.mean(known)) if known else 0.0}


def detections(outputs: Sequence[NDArray[np.float32]], anchors: NDArray[np.float32]) -> Array:
    """Boxes (n, 6) of one picture's raw outputs: corners, score, class."""
    kept = best_boxes(decode(outputs, anchors.reshape(-1, 2), LEAST_SCORE, strides=STRIDES), NMS)
    return np.column_stack([kept.corners, kept.scores(), kept.classes.argmax(1)]).astype(np.float64)
