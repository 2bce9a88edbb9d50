"""What both models' fine-tuning share: the shipped weights, what is held out, how own data is mixed with ours."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tools.training.common.card import Card, Figures, licences, sources_of, write_card
from tools.training.common.crops import RealCrop
from tools.training.datasets.load import Material

T = TypeVar("T")
HELD_OUT_PERCENT = 15
OWN_SHARE = 0.5


@dataclass(frozen=True)
class Options:
    """How to fine-tune: where the shipped models lie, the run's folder, and what all trainers share."""

    models: Path
    run: Path
    seed: int
    device: str
    precision: str
    patience: int
    threads: int
    licence: str
    command: str

    @property
    def target(self) -> Path:
        """Where the new models go."""
        return self.run / "models"


@dataclass(frozen=True)
class Tuned:
    """What a card tells of one fine-tuned model: its name and kind, what of whom it learnt, how well it does.

    ``kept``, ``held_out`` are how many own items; ``sources`` is the source of each item that was trained on, ``what``
    an item is (pictures, crops); ``data`` begins with the own items; ``trainer`` is the module that does the same.
    """

    name: str
    title: str
    summary: str
    sources: Sequence[str]
    what: str
    data: str
    figures: Sequence[Figures]
    limits: Sequence[str]
    trainer: str


def write_tuned_card(tuned: Tuned, root: Path | None, options: Options) -> None:
    """Write the card of a fine-tuned model beside it."""
    known = licences(root)
    card = Card(
        name=tuned.name,
        title=f"{tuned.title}, fine-tuned",
        summary=tuned.summary,
        seed=options.seed,
        sources=sources_of(tuned.sources, tuned.what, known, options.licence),
        data=[
            f"{tuned.data} were held out to choose the checkpoint and for the figures below. The data of the shipped "
            "weights is on the card of the shipped model."
        ],
        figures=tuned.figures,
        limits=tuned.limits,
        commands=[options.command, f"# of which the part of {tuned.name} is that of python -m {tuned.trainer}"],
    )
    write_card(card, options.target)


def own_crops(material: Material) -> list[RealCrop]:
    """The crops of one's own data under names that neither another of them nor one of the data folder has."""
    return [replace(crop, file_name=f"own/{i}/{crop.file_name}") for i, (crop, _) in enumerate(material.crops)]


def float_file(models: Path, name: str) -> Path:
    """The shipped weights to train on from; raises FileNotFoundError that says what is missing."""
    file = models / f"{name}.float32.onnx"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: fine-tuning begins with the float32 file that the export writes")
    return file


def manifest_of(models: Path, name: str) -> dict[str, Any]:
    """What the shipped manifest says; raises FileNotFoundError without one."""
    content: dict[str, Any] = json.loads((models / f"{name}.json").read_text(encoding="utf-8"))
    return content


def hold_out(items: Sequence[T], key: Callable[[T], str]) -> tuple[list[T], list[T]]:
    """Divide into what is trained on and what is held out, by a hash of the key; at least one key is held out.

    Equal keys stay together. With fewer than two keys nothing is held out.
    """
    hashes = {key(item): int.from_bytes(hashlib.sha256(key(item).encode()).digest()[:4], "big") for item in items}
    if len(hashes) < 2:
        return list(items), []
    chosen = {name for name, value in hashes.items() if value % 100 < HELD_OUT_PERCENT}
    chosen = chosen or {min(hashes, key=lambda name: hashes[name])}
    if len(chosen) == len(hashes):
        chosen.discard(max(hashes, key=lambda name: hashes[name]))
    return [i for i in items if key(i) not in chosen], [i for i in items if key(i) in chosen]


def mixed(own: Sequence[T], ours: Sequence[T]) -> list[T]:
    """Both together, the own repeated so that about half of what is drawn is own."""
    times = max(1, round(len(ours) * OWN_SHARE / (1 - OWN_SHARE) / len(own))) if own else 0
    return [*own] * times + [*ours]


def keep_shipped(options: Options, name: str) -> None:
    """Put the shipped model beside the new ones as it is, so that the folder can be served."""
    options.target.mkdir(parents=True, exist_ok=True)
    for ending in (".onnx", ".json", ".md", ".float32.onnx"):
        file = options.models / f"{name}{ending}"
        if file.is_file():
            shutil.copyfile(file, options.target / file.name)
