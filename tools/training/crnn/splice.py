"""New plates from real ones: the head of one line and the tail of another, cut between characters.

A recogniser that has seen a few thousand real plates remembers their groups of characters; lines spliced from two
plates keep the real look and break such habits. Where characters end is taken from a trained CRNN by forced alignment
(the Viterbi path of its connectionist temporal classification through the known text).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cloud_apis.crnn.preprocess import HEIGHT_PX, WIDTH_PX, shown, warp_quad, warp_word

LEAST_CONFIDENCE = 0.5
LONGEST = 9


@dataclass(frozen=True)
class Cuttable:
    """A line with known gaps: crop, text's classes, window (4, 2), and per gap its upper and lower end (2, 2)."""

    image: NDArray[np.uint8]
    target: tuple[int, ...]
    window: NDArray[np.float32]
    gaps: NDArray[np.float32]


def align(log_probabilities: NDArray[np.float32], target: Sequence[int]) -> tuple[list[tuple[int, int]], float]:
    """First and last step of each character on the best path, and the path's mean probability per character.

    ``log_probabilities`` is (T, classes), class 0 the blank; raises ValueError if the text needs more steps.
    """
    labels = [0]
    for label in target:
        labels += [label, 0]
    steps, states = len(log_probabilities), len(labels)
    score = np.full(states, -np.inf)
    score[:2] = log_probabilities[0, labels[:2]]
    came_from = np.zeros((steps, states), np.int64)
    skip = np.array([s >= 2 and labels[s] != 0 and labels[s] != labels[s - 2] for s in range(states)])
    for step in range(1, steps):
        one, two = np.r_[-np.inf, score[:-1]], np.r_[-np.inf, -np.inf, score[:-2]]
        choices = np.stack([score, one, np.where(skip, two, -np.inf)])
        back = choices.argmax(axis=0)
        came_from[step] = back
        score = choices[back, np.arange(states)] + log_probabilities[step, labels]
    state = states - 1 if states == 1 or score[-1] >= score[-2] else states - 2
    if not np.isfinite(score[state]):
        raise ValueError(f"{steps} steps are too few for {len(target)} characters")
    spans: dict[int, tuple[int, int]] = {}
    best: dict[int, float] = {}
    for step in range(steps - 1, -1, -1):
        if labels[state]:
            number = state // 2
            spans[number] = (step, spans.get(number, (step, step))[1])
            best[number] = max(best.get(number, 0.0), float(np.exp(log_probabilities[step, labels[state]])))
        state -= int(came_from[step, state])
    return [spans[number] for number in range(len(target))], float(np.mean(list(best.values()) or [0.0]))


@torch.no_grad()
def cuttable(
    model: nn.Module, lines: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32], tuple[int, ...]]]
) -> list[Cuttable]:
    """The lines (crop, quad, target) whose characters ``model`` can place."""
    found = []
    for start in range(0, len(lines), 64):
        part = lines[start : start + 64]
        patches = np.stack([warp_word(image, quad) for image, quad, _ in part])
        scores = model(torch.from_numpy(patches)).float().log_softmax(2).numpy()
        for (image, quad, target), score in zip(part, scores, strict=True):
            try:
                spans, confidence = align(score, target)
            except ValueError:
                continue
            if confidence >= LEAST_CONFIDENCE and len(target) > 1:
                found.append(Cuttable(image, target, shown(quad), _gaps(shown(quad), spans, len(score))))
    return found


def _gaps(window: NDArray[np.float32], spans: Sequence[tuple[int, int]], steps: int) -> NDArray[np.float32]:
    middles = [(before[1] + after[0] + 1) / 2 / steps for before, after in itertools.pairwise(spans)]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, window)
    ends = np.array([[[x, 0.0], [x, 1.0]] for x in middles], np.float32)
    return np.asarray(cv2.perspectiveTransform(ends.reshape(-1, 1, 2), matrix), np.float32).reshape(-1, 2, 2)


def splice(head: Cuttable, tail: Cuttable, rng: np.random.Generator) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """The first characters of one line and the last of another: (1, 32, 160) float32 0..1, and the classes."""
    i, j = int(rng.integers(len(head.gaps))), int(rng.integers(len(tail.gaps)))
    left = np.array([head.window[0], head.gaps[i][0], head.gaps[i][1], head.window[3]], np.float32)
    right = np.array([tail.gaps[j][0], tail.window[1], tail.window[2], tail.gaps[j][1]], np.float32)
    wide, other = _aspect(left), _aspect(right)
    width = int(np.clip(round(WIDTH_PX * wide / (wide + other)), 12, WIDTH_PX - 12))
    first, second = warp_quad(head.image, left, width), warp_quad(tail.image, right, WIDTH_PX - width)
    # Both halves get one light; the network levels the whole patch, not its parts.
    second = (second - second.mean()) * (first.std() + 0.02) / (second.std() + 0.02) + first.mean()
    patch = np.clip(np.concatenate([first, second], axis=1), 0, 1).astype(np.float32)
    return patch.reshape(1, HEIGHT_PX, WIDTH_PX), head.target[: i + 1] + tail.target[j + 1 :]


def _aspect(window: NDArray[np.float32]) -> float:
    width = float(np.linalg.norm(window[1] - window[0]) + np.linalg.norm(window[2] - window[3]))
    height = float(np.linalg.norm(window[3] - window[0]) + np.linalg.norm(window[2] - window[1]))
    return width / max(height, 1e-6)
