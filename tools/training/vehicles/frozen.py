"""The frozen backbone's maps of training pictures, computed once in int8: most of a CPU's time saved."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from tools.training.attributes.frozen import CALIBRATION_PICTURES, integer_session
from tools.training.vehicles.network import VehicleNet
from tools.training.vehicles.plan import Plan


@dataclass(frozen=True, eq=False)
class _Group:
    """Pictures of one size: maps uint8 (N, C, H, W) of strides 8 and 16, and each picture's boxes (n, 5)."""

    c8: Tensor
    c16: Tensor
    boxes: list[Tensor]
    size: int


@dataclass(frozen=True, eq=False)
class FrozenPictures:
    """Training pictures by size; ``meaning`` is the scale and the zero of both maps."""

    groups: list[_Group]
    meaning: list[tuple[float, int]]

    @classmethod
    def of(cls, network: VehicleNet, drawn: Iterator[tuple[Tensor, list[Tensor]]], plan: Plan) -> FrozenPictures:
        """The maps of as many drawn pictures as the plan wants."""
        kept: list[tuple[Tensor, list[Tensor]]] = []
        while sum(len(pictures) for pictures, _ in kept) < CALIBRATION_PICTURES:
            kept.append(next(drawn))
        views = (picture[None].numpy() for pictures, _ in kept for picture in pictures)
        session, meaning = integer_session(
            _Finer(copy.deepcopy(network)), torch.zeros(1, 3, 64, 64), ["c8", "c16"], views
        )
        found: dict[int, list[tuple[Tensor, Tensor, list[Tensor]]]] = {}
        rounds = -(-plan.frozen_pictures // plan.batch)
        for number in tqdm(range(rounds), desc="maps", unit="batch", mininterval=5):
            pictures, boxes = kept[number] if number < len(kept) else next(drawn)
            c8, c16 = (torch.from_numpy(one) for one in session.run(None, {"image": pictures.numpy()}))
            found.setdefault(pictures.shape[-1], []).append((c8, c16, boxes))
        groups = [
            _Group(
                torch.cat([a for a, _, _ in some]),
                torch.cat([b for _, b, _ in some]),
                [rows for _, _, boxes in some for rows in boxes],
                size,
            )
            for size, some in sorted(found.items())
        ]
        return cls(groups, meaning)

    def batches(self, plan: Plan, first_step: int) -> Iterator[tuple[tuple[Tensor, Tensor], list[Tensor]]]:
        """Maps float32 of strides 8 and 16 and the boxes, half of the pictures mirrored."""
        shares = np.array([len(group.boxes) for group in self.groups]) / sum(len(g.boxes) for g in self.groups)
        for step in range(first_step, plan.steps):
            rng = np.random.default_rng([plan.seed, 7, step])
            group = self.groups[rng.choice(len(self.groups), p=shares)]
            chosen = torch.from_numpy(rng.choice(len(group.boxes), plan.batch))
            mirrored = torch.from_numpy(rng.random(plan.batch) < 0.5)
            maps = []
            for values, (scale, zero) in zip((group.c8, group.c16), self.meaning, strict=True):
                one = (values[chosen].float() - zero) * scale
                one[mirrored] = one[mirrored].flip(3)
                maps.append(one)
            boxes = []
            for index, flip in zip(chosen.tolist(), mirrored.tolist(), strict=True):
                rows = group.boxes[index].clone()
                if flip:
                    rows[:, [0, 2]] = group.size - rows[:, [2, 0]]
                boxes.append(rows)
            yield (maps[0], maps[1]), boxes


class _Finer(nn.Module):
    def __init__(self, network: VehicleNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.finer(image)
