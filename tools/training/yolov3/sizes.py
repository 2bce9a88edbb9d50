"""How much too large the smallest boxes come out, found on held-out pictures and taken back in the exported network.

Where an edge is uncertain by a good part of the box, CIoU rewards a box that is rather too large than too small, and
labellers draw tiny plates tightly. So the finest scale's widths and heights are scaled by the factors that give the
best average precision on pictures that training did not see; the factors go into the biases and cost nothing.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tools.evaluation.detection import average_precision
from tools.training.yolov3.dataset import Sample
from tools.training.yolov3.evaluate import LEAST_SCORE, NMS, detections, letterbox
from tools.training.yolov3.network import ANCHORS_PER_SCALE, YoloV3

log = logging.getLogger("yolov3")
FACTORS = (1.0, 0.95, 0.9, 0.85)
INPUT_PX = 416


@torch.no_grad()
def fit_sizes(network: YoloV3, anchors: Tensor, dev: Sequence[Sample]) -> tuple[float, float]:
    """Factors for width and height of the finest scale's boxes that give the best AP@0.5 on ``dev``.

    ``anchors`` is (3 * scales, 2) in network pixels. Without any plate in ``dev`` they are 1; of equally good pairs
    the one closest to 1 is taken.
    """
    if not any(len(sample.boxes) for sample in dev):
        return 1.0, 1.0
    network.eval()
    outputs, truths = [], []
    for sample in dev:
        picture, boxes = letterbox(sample, INPUT_PX)
        outputs.append(network(torch.from_numpy(picture)[None, None].float() / 255))
        truths.append(boxes)
    best, chosen = -math.inf, (1.0, 1.0)
    for factors in sorted(itertools.product(FACTORS, FACTORS), key=lambda pair: -sum(pair)):
        scaled = anchors.float().view(-1, 2).clone()
        scaled[:ANCHORS_PER_SCALE] *= torch.tensor(factors)
        found = [detections(one, scaled, LEAST_SCORE, NMS, network.strides) for one in outputs]
        precision = average_precision(found, truths)
        if precision > best:
            best, chosen = precision, factors
    log.info("boxes of the finest scale are scaled by %s: AP@0.5 on dev %.4f", chosen, best)
    return chosen


@torch.no_grad()
def scale_finest(network: YoloV3, factors: tuple[float, float]) -> None:
    """Scale the finest scale's boxes in width and height, in place, by its biases."""
    layer = network.get_submodule(f"head{network.strides[0]}.predict.1")
    assert isinstance(layer, torch.nn.Conv2d) and layer.bias is not None  # noqa: S101 - for the type checker
    bias = layer.bias.view(ANCHORS_PER_SCALE, -1)
    bias[:, 2:4] += torch.from_numpy(np.log(np.array(factors, np.float32)))
