"""YOLOv3's loss with two later improvements: several anchors may match a box, and boxes learn by CIoU.

Sources: YOLOv3 (arXiv:1804.02767) for the parametrisation; Zheng et al., "Distance-IoU Loss",
arXiv:1911.08287, for CIoU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tools.training.yolov3.network import ANCHORS_PER_SCALE, STRIDES
from tools.training.yolov3.tightness import Tightness

MATCH_RATIO = 2.6  # an anchor matches a box when no side differs by more than this factor
IGNORE_IOU = 0.6  # unmatched predictions overlapping a box more than this are not called background


@dataclass(frozen=True)
class LossParts:
    """The parts of the loss of one batch, each a scalar tensor."""

    box: Tensor
    objectness: Tensor
    classes: Tensor

    @property
    def total(self) -> Tensor:
        return self.box + self.objectness + self.classes


def decode(raw: Tensor, anchors: Tensor, stride: int) -> Tensor:
    """Raw (N, A, H, W, 5 + C) to corners (N, A, H, W, 4) in network pixels."""
    _, _, h, w, _ = raw.shape
    columns, rows = (torch.arange(size, device=raw.device) for size in (w, h))
    ys, xs = torch.meshgrid(rows, columns, indexing="ij")
    x = (raw[..., 0].sigmoid() + xs) * stride
    y = (raw[..., 1].sigmoid() + ys) * stride
    half_w = anchors[:, 0].view(1, -1, 1, 1) * raw[..., 2].clamp(max=4).exp() / 2
    half_h = anchors[:, 1].view(1, -1, 1, 1) * raw[..., 3].clamp(max=4).exp() / 2
    return torch.stack([x - half_w, y - half_h, x + half_w, y + half_h], -1)


def iou(a: Tensor, b: Tensor, complete: bool = False) -> Tensor:
    """IoU (or CIoU) of corner boxes (…, 4), broadcast."""
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    intersection = inner.prod(-1)
    overlap = intersection / (size_a.prod(-1) + size_b.prod(-1) - intersection + 1e-9)
    if not complete:
        return overlap
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    distance = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).square().sum(-1)
    aspects = [torch.atan(size[..., 0] / (size[..., 1] + 1e-9)) for size in (size_a, size_b)]
    angle = aspects[0] - aspects[1]
    shape = 4 / math.pi**2 * angle.square()
    with torch.no_grad():
        weight = shape / (1 - overlap + shape + 1e-9)
    return overlap - distance / (hull.square().sum(-1) + 1e-9) - weight * shape


class YoloLoss(nn.Module):
    """Loss over the raw outputs; ``anchors`` is (scales * 3, 2), ascending by scale, in network pixels."""

    anchors: Tensor

    def __init__(self, anchors: Tensor, tightness: Tightness | None = None, strides: Sequence[int] = STRIDES) -> None:
        super().__init__()
        self.tightness = tightness
        self.strides = tuple(strides)
        self.register_buffer("anchors", anchors.float().view(len(self.strides), ANCHORS_PER_SCALE, 2))

    def matches(self, boxes: Tensor) -> Tensor:
        """Which of the (S, A) anchors are to predict each box (n, 4): bool (n, S, A), at least one each."""
        sizes = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
        ratio = sizes[:, None, None] / self.anchors[None]
        worst = torch.maximum(ratio, 1 / ratio).amax(-1)
        matched = worst < MATCH_RATIO
        best = worst.flatten(1).argmin(1)
        matched.flatten(1)[torch.arange(len(boxes)), best] = True
        return matched

    def forward(
        self, outputs: tuple[Tensor, ...], boxes: list[Tensor], sources: list[Tensor] | None = None
    ) -> LossParts:
        """Loss of a batch: per picture its boxes (n, 4) and, with ``tightness``, the numbers of their sources (n,).

        Boxes (n, 5) have the numbers of their classes in the last column; those without are of the first class.
        """
        classes = [b[:, 4].long() if b.shape[1] > 4 else b.new_zeros(len(b), dtype=torch.long) for b in boxes]
        boxes = [b[:, :4] for b in boxes]
        matched = [self.matches(b) for b in boxes]
        positives = max(1, sum(int(m.sum()) for m in matched))
        box_loss = objectness_loss = class_loss = torch.zeros((), device=self.anchors.device)
        for scale, (output, stride) in enumerate(zip(outputs, self.strides, strict=True)):
            n, channels, h, w = output.shape
            raw = output.float().reshape(n, ANCHORS_PER_SCALE, channels // ANCHORS_PER_SCALE, h, w)
            raw = raw.permute(0, 1, 3, 4, 2)
            predicted = decode(raw, self.anchors[scale], stride)
            target = raw.new_zeros(raw.shape[:4])
            weight = raw.new_ones(raw.shape[:4])
            for i, truth in enumerate(boxes):
                if not len(truth):
                    continue
                with torch.no_grad():
                    overlap = iou(predicted[i].unsqueeze(-2), truth).amax(-1)
                    weight[i][overlap > IGNORE_IOU] = 0
                which, anchor = matched[i][:, scale].nonzero(as_tuple=True)
                if not len(which):
                    continue
                centre = (truth[which, :2] + truth[which, 2:]) / 2
                column = (centre[:, 0] / stride).long().clamp(0, w - 1)
                row = (centre[:, 1] / stride).long().clamp(0, h - 1)
                found = predicted[i, anchor, row, column]
                if self.tightness is not None and sources is not None:
                    found = self.tightness(found, sources[i][which])
                box_loss = box_loss + (1 - iou(found, truth[which], True)).sum()
                logits = raw[i, anchor, row, column, 5:]
                wanted = nn.functional.one_hot(classes[i][which], logits.shape[1]).to(logits.dtype)
                class_loss = class_loss + nn.functional.binary_cross_entropy_with_logits(
                    logits, wanted, reduction="sum"
                )
                target[i, anchor, row, column] = 1
                weight[i, anchor, row, column] = 1
            every = nn.functional.binary_cross_entropy_with_logits(raw[..., 4], target, weight, reduction="sum")
            objectness_loss = objectness_loss + every
        return LossParts(2.0 * box_loss / positives, objectness_loss / positives, 0.2 * class_loss / positives)
