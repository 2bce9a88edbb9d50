"""Average precision of a network in training, on held-out pictures of the train split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cloud_apis.yolov3.postprocess import best_boxes, decode
from tools.evaluation.detection import average_precision
from tools.training.common.device import Compute, choose
from tools.training.yolov3.augment import GREY
from tools.training.yolov3.dataset import Sample
from tools.training.yolov3.network import STRIDES

Array = NDArray[np.float64]
LEAST_SCORE, NMS = 0.02, 0.5
"""The least score of a box that counts, and the overlap from which on the weaker of two goes, as it is served."""


def letterbox(sample: Sample, size: int) -> tuple[NDArray[np.uint8], Array]:
    """The sample fitted into a square of that many pixels, and its boxes there."""
    h, w = sample.image.shape
    scale = min(size / w, size / h)
    width, height = max(1, round(w * scale)), max(1, round(h * scale))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.full((size, size), GREY, np.uint8)
    x, y = (size - width) // 2, (size - height) // 2
    canvas[y : y + height, x : x + width] = cv2.resize(sample.image, (width, height), interpolation=mode)
    return canvas, sample.boxes.astype(np.float64) * scale + np.array([x, y, x, y])


def detections(
    outputs: Sequence[Tensor], anchors: Tensor, threshold: float, nms: float, strides: Sequence[int] = STRIDES
) -> Array:
    """Boxes (n, 5) with scores of one picture's raw outputs (each with batch size 1), found as the APIs find them."""
    arrays = [output.float().cpu().numpy() for output in outputs]
    candidates = decode(arrays, anchors.float().cpu().numpy().reshape(-1, 2), threshold, strides=strides)
    found = best_boxes(candidates, nms)
    return np.column_stack([found.corners, found.scores()]).astype(np.float64)


def file_precision(file: Path, anchors: Tensor, samples: Sequence[Sample], strides: Sequence[int]) -> float:
    """AP@0.5 of an exported network, as `dev_precision` has it."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = [f"p{stride}" for stride in strides]

    def network(image: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(output) for output in session.run(names, {"image": image.numpy()}))

    return _precision(network, anchors, samples, 416, choose("cpu", "float32"), strides)


@torch.no_grad()
def dev_precision(
    network: nn.Module,
    anchors: Tensor,
    samples: Sequence[Sample],
    size: int = 416,
    compute: Compute | None = None,
    strides: Sequence[int] = STRIDES,
) -> float:
    """AP@0.5 of the network, on the device of ``compute``, over the samples, each fitted into size × size."""
    compute = compute or choose("cpu")
    return _precision(network.eval(), anchors, samples, size, compute, strides)


def _precision(
    network: Callable[[Tensor], Sequence[Tensor]],
    anchors: Tensor,
    samples: Sequence[Sample],
    size: int,
    compute: Compute,
    strides: Sequence[int],
) -> float:
    predictions, truths = [], []
    for sample in samples:
        picture, boxes = letterbox(sample, size)
        tensor = torch.from_numpy(picture)[None, None].float() / 255
        with compute.autocast():
            outputs = network(compute.images(tensor))
        predictions.append(detections([o.float().cpu() for o in outputs], anchors, LEAST_SCORE, NMS, strides))
        truths.append(boxes)
    return average_precision(predictions, truths)
