"""What a run leaves to look at: per-class tables, confusion matrices, sheets of failures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from cloud_apis.attributes.postprocess import OTHER
from tools.training.attributes.classes import Head
from tools.training.attributes.examples import Example
from tools.training.attributes.measure import Logits, ranked, truth_of
from tools.training.attributes.pictures import Crop, plain_view

MOST_SHOWN = 60
TILE = (96, 128)
"""Height and width of a failure's picture, pixels."""
COLUMNS = 8
LARGEST_MATRIX = 45


@dataclass(frozen=True)
class Verdict:
    """What a head said of one example: its number, the true and the likeliest class, and that one's probability."""

    number: int
    truth: str
    said: str
    prob: float


def verdicts(logits: Logits, examples: Sequence[Example], heads: Sequence[Head]) -> dict[str, list[Verdict]]:
    """For each head, what it says of every example whose truth is one of its classes."""
    found = {}
    for name, (shares, labels) in ranked(logits, heads).items():
        named = [number for number, label in enumerate(labels) if not label.endswith(OTHER)]
        known = {labels[number] for number in named}
        best = shares[:, named].argmax(1)
        found[name] = [
            Verdict(row, truth, labels[named[best[row]]], float(shares[row, named[best[row]]]))
            for row, example in enumerate(examples)
            if (truth := truth_of(example, name)) in known and truth is not None
        ]
    return found


def write_report(
    folder: Path, logits: Logits, examples: Sequence[Example], crops: Sequence[Crop], heads: Sequence[Head]
) -> list[Path]:
    """Write ``<head>.csv``, ``<head>-confusion.png`` and ``<head>-failures.png`` for each head; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, found in verdicts(logits, examples, heads).items():
        if not found:
            continue
        written += [_table(folder / f"{name}.csv", found), _confusion(folder / f"{name}-confusion.png", found)]
        wrong = sorted((v for v in found if v.said != v.truth), key=lambda v: -v.prob)[:MOST_SHOWN]
        if wrong:
            written.append(_sheet(folder / f"{name}-failures.png", wrong, crops))
    return written


def per_class(found: Sequence[Verdict]) -> list[tuple[str, int, float, float]]:
    """Per class: its name, how many there are, the share of them found, the share of such answers that are right."""
    rows = []
    for label in sorted({v.truth for v in found} | {v.said for v in found}):
        true, said = [v for v in found if v.truth == label], [v for v in found if v.said == label]
        right = sum(v.said == label for v in true)
        rows.append((label, len(true), right / len(true) if true else 0.0, right / len(said) if said else 0.0))
    return rows


def _table(file: Path, found: Sequence[Verdict]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("class", "pictures", "recall", "precision"))
        writer.writerows((label, count, f"{a:.3f}", f"{b:.3f}") for label, count, a, b in per_class(found))
    return file


def _confusion(file: Path, found: Sequence[Verdict]) -> Path:
    mpl.use("Agg")
    from matplotlib import pyplot

    counts = {label: sum(v.truth == label for v in found) for label in {v.truth for v in found}}
    labels = sorted(sorted(counts, key=lambda label: -counts[label])[:LARGEST_MATRIX])
    index = {label: number for number, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)))
    for v in found:
        if v.truth in index and v.said in index:
            table[index[v.truth], index[v.said]] += 1
    shares = table / table.sum(1, keepdims=True).clip(min=1)
    side = 2.5 + 0.28 * len(labels)
    figure, axes = pyplot.subplots(figsize=(side, side))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
    axes.set_yticks(range(len(labels)), labels, fontsize=7)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    for row, column in zip(*np.nonzero(table), strict=True):
        colour = "white" if shares[row, column] > 0.6 else "black"
        text = str(int(table[row, column]))
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)
    return file


def _sheet(file: Path, wrong: Sequence[Verdict], crops: Sequence[Crop]) -> Path:
    tiles = [_tile(verdict, crops[verdict.number]) for verdict in wrong]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[first : first + COLUMNS]) for first in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(file), np.vstack(rows)[:, :, ::-1])
    return file


def _tile(verdict: Verdict, crop: Crop) -> NDArray[np.uint8]:
    height, width = TILE
    tile = np.full((height + 26, width + 4, 3), 255, np.uint8)
    tile[:height, 2 : width + 2] = plain_view(crop, TILE)
    for line, text in enumerate((f"is {verdict.truth}", f"said {verdict.said} {verdict.prob:.2f}")):
        place = (3, height + 10 + 12 * line)
        cv2.putText(tile, text[:26], place, cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 0, 0), 1, cv2.LINE_AA)
    return tile
