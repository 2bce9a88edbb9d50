"""Model cards: what a model is, what it learnt from, how well it does, written by the tools that made it."""

from __future__ import annotations

import csv
import datetime
import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.training.common.half import SUFFIX
from tools.training.common.recover import weights_of

LINE = 118
OWN = "as its owner allows"
VEHICLE_PHOTOS = {
    "highway": ("Highway Object Detection v40 (universitas-tidar)", "CC BY 4.0"),
    "traffic_camera": ("ATL version 2 (finalproject-bqip3)", "CC BY 4.0"),
}
"""The data folder's photos with hand-made boxes of vehicles: whose, and their licence."""


@dataclass(frozen=True)
class Source:
    """Where training data came from: its name, its licence as stated, what was used of it."""

    name: str
    licence: str
    used: str


@dataclass(frozen=True)
class Figures:
    """A table of figures: what was measured and by which command, its columns, its rows."""

    about: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Card:
    """What a card tells. ``facts`` are further rows of the first table; ``data`` and ``limits`` are paragraphs."""

    name: str
    title: str
    summary: str
    seed: int
    sources: Sequence[Source]
    commands: Sequence[str]
    figures: Sequence[Figures] = ()
    data: Sequence[str] = ()
    limits: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    date: datetime.date | None = None


def write_card(card: Card, folder: Path) -> Path:
    """Write ``<name>.md`` beside a model and its manifest, whose own words it quotes; returns the card's path.

    Input, output, precision and version are the manifest's; size and number of weights are those of the files.
    Raises FileNotFoundError without a manifest.
    """
    manifest = json.loads((folder / f"{card.name}.json").read_text(encoding="utf-8"))
    served = folder / str(manifest["file"])
    exact = folder / f"{card.name}.float32.onnx"
    facts = {key: str(manifest[key]) for key in ("version", "input", "output") if key in manifest}
    if "strides" in manifest:
        facts["output"] = ", ".join(f"`p{stride}`" for stride in manifest["strides"]) + ": raw logits, anchor-major"
        facts["anchors"] = ", ".join(map(str, manifest.get("anchors", ())))
    if exact.is_file():
        counts = [value.numel() for name, value in weights_of(exact).items() if not name.endswith(SUFFIX)]
        facts["weights"] = f"{sum(counts) / 1e6:.1f} million"
    facts["precision"] = f"{manifest.get('precision', 'float32')}, {served.stat().st_size / 1e6:.1f} MB"
    facts["date, seed"] = (
        f"{(card.date or datetime.datetime.now(tz=datetime.UTC).date()).isoformat()}, seed {card.seed}"
    )
    parts = [f"# {card.name}: {card.title}", wrap(card.summary), table(("", ""), [*facts.items(), *card.facts.items()])]
    parts += ["## Data", *map(wrap, card.data)]
    parts.append(table(("source", "licence", "used"), [(s.name, s.licence, s.used) for s in card.sources]))
    parts.append("## Figures")
    for figures in card.figures:
        parts += [wrap(figures.about), table(figures.head, figures.rows)]
    if not card.figures:
        parts.append("None: nothing was held out.")
    if card.limits:
        parts += ["## Limits", *map(wrap, card.limits)]
    parts += ["## Training", "```sh\n" + "\n".join(card.commands) + "\n```"]
    file = folder / f"{card.name}.md"
    file.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return file


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; bars within cells are escaped, numbers from 0 to 1 shown with three digits."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def wrap(text: str) -> str:
    """A paragraph in lines of at most 118 characters; words longer than that stay whole."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def licences(root: Path | None) -> dict[str, str]:
    """Licence of each source as ``plates/sources.csv`` of the data folder states it; none without one."""
    file = None if root is None else root / "plates" / "sources.csv"
    if file is None or not file.is_file():
        return {}
    with file.open(newline="", encoding="utf-8") as stream:
        return {row["source"]: row["licence as stated"] for row in csv.DictReader(stream)}


def sources_of(names: Iterable[str], what: str, known: Mapping[str, str], own: str = OWN) -> list[Source]:
    """One row per source with how many ``what`` (pictures, crops) it gave; ``own`` is the licence of unknown ones."""
    return [Source(name, known.get(name, own), f"{count} {what}") for name, count in sorted(Counter(names).items())]


def command_line(module: str, arguments: Sequence[str]) -> str:
    """The command as it can be typed again."""
    return f"python -m {module} {shlex.join(arguments)}".rstrip()


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value).replace("|", "\\|").replace("\n", " ")
