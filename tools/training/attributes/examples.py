"""Pictures of cars with what is known of each: from the data folder, from a CSV file, or from folders of pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

HEADS: Final = ("colour", "type", "view", "make", "model")
"""What the data folder's cars are labelled with."""
SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
FURTHER: Final = Path(__file__).with_name("further_cars.csv")
"""Labels that a vision-language model gave from contact sheets, told to leave out what it was not sure of."""
AMENDED: Final = Path(__file__).with_name("amended_cars.csv")
"""Labels that the data folder leaves open or has wrong, given by the same means where it was sure."""
TAKEN_BACK: Final = "-"
FARTHEST_PX: Final = 1e6
"""No picture reaches as far as this: a corner beyond is a slip of the table."""
NO_HEADS: Final = ("file", "path", "xmin", "ymin", "xmax", "ymax", "source", "listing")
"""Columns of a table that are no labels."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Example:
    """A car: its picture, its box there (xmin, ymin, xmax, ymax in pixels; None: the whole picture), its labels.

    `labels` holds what is known alone, head by head; a model goes with its make. A `further` car stands beside those
    that a picture shows, smaller or half hidden: it is trained on and never measured on, and a make that nobody named
    says nothing there. Pictures of one `listing` show one car, and are held out together.
    """

    file: Path
    box: Box | None
    labels: Mapping[str, str]
    source: str
    further: bool = False
    listing: str = ""

    @property
    def name(self) -> str:
        """What tells this picture from others: its folder's and its own name."""
        return f"{self.file.parent.name}/{self.file.name}"


def load_shared(root: Path, split: str = "train") -> list[Example]:
    """The labelled cars of ``root/vehicles/attributes_<split>.json``; raises OSError where that is missing."""
    annotations = root / "vehicles" / f"attributes_{split}.json"
    content = json.loads(annotations.read_text(encoding="utf-8"))
    files = {image["id"]: image["file_name"] for image in content["images"]}
    examples = []
    for annotation in content["annotations"]:
        labels = {head: str(annotation[head]) for head in HEADS if annotation.get(head)}
        if not labels:
            continue
        x, y, width, height = annotation["bbox"]
        file = (annotations.parent / files[annotation["image_id"]]).resolve()
        examples.append(Example(file, (x, y, x + width, y + height), labels, file.parent.name))
    return examples


def load_further(root: Path, table: Path = FURTHER) -> list[Example]:
    """Labels of our own for cars that the data folder's annotations leave without: file names there, boxes, labels.

    Raises FileNotFoundError where a picture is missing.
    """
    return [replace(example, further=True, source=example.file.parent.name) for example in _table(table, root)]


def amended(examples: Sequence[Example], root: Path, table: Path = AMENDED) -> list[Example]:
    """The cars of the data folder, with the labels of a table before their own; it names them by picture and box.

    A label "-" takes back one that nobody could tell from the picture. Raises FileNotFoundError where a picture is
    missing, ValueError where a car of the table is not among them.
    """
    told = {_place(one): one.labels for one in _table(table, root)}
    strangers = set(told) - {_place(example) for example in examples}
    if strangers:
        file, box = min(strangers)
        raise ValueError(f"{table}: {file.name} has no labelled car at {box}: it is of another version of the data")
    merged = ({**one.labels, **told.get(_place(one), {})} for one in examples)
    known = ({head: label for head, label in labels.items() if label != TAKEN_BACK} for labels in merged)
    return [replace(one, labels=labels) for one, labels in zip(examples, known, strict=True)]


def _place(example: Example) -> tuple[Path, tuple[float, ...]]:
    return example.file.resolve(), tuple(round(corner, 1) for corner in example.box or ())


def load_own(paths: Sequence[Path], head: str = "class") -> list[Example]:
    """One's own cars: CSV files, and folders that hold one folder of pictures for each class of ``head``.

    A CSV file has the column ``file`` (relative to the CSV file), if wanted ``xmin,ymin,xmax,ymax`` in pixels and
    ``listing``, and one column for each head; an empty cell is unknown. In tables of `tools.dataset` the file is called
    ``path``, and ``source`` is the picture that it was cut from. Raises FileNotFoundError for what is missing,
    ValueError for what cannot be used.
    """
    return [example for path in paths for example in (_folders(path, head) if path.is_dir() else _table(path))]


def _folders(root: Path, head: str) -> Iterable[Example]:
    found = [
        Example(file, None, {head: folder.name}, root.name)
        for folder in sorted(root.iterdir())
        if folder.is_dir()
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise ValueError(
            f"{root} holds no folders of pictures: make one folder for each class, with its pictures in it"
        )
    return found


def _table(file: Path, root: Path | None = None) -> Iterable[Example]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        columns = list(rows.fieldnames or ())
        heads = [column for column in columns if column not in NO_HEADS]
        if not {"file", "path"} & set(columns) or not heads:
            raise ValueError(f"{file}: the first line must name the column file and at least one more, such as colour")
        if "model" in heads and "make" not in heads:
            raise ValueError(f"{file}: the column model needs the column make, since a model is one of a make")
        return [_example(file, root or file.parent, number, row, heads) for number, row in enumerate(rows, 2)]


def _example(table: Path, root: Path, number: int, row: Mapping[str, str | None], heads: Sequence[str]) -> Example:
    name = row["file"] if "file" in row else row["path"]
    picture = root / (name or "")
    if not picture.is_file():
        raise FileNotFoundError(f"{table}, line {number}: there is no picture {picture}")
    labels = {head: value.strip() for head in heads if (value := row.get(head)) and value.strip()}
    corners = [row.get(key) for key in ("xmin", "ymin", "xmax", "ymax")]
    box: Box | None = None
    if any(corners):
        try:
            xmin, ymin, xmax, ymax = (float(corner or "") for corner in corners)
        except ValueError as error:
            raise ValueError(f"{table}, line {number}: xmin, ymin, xmax and ymax must be four numbers") from error
        if not all(abs(corner) <= FARTHEST_PX for corner in (xmin, ymin, xmax, ymax)):  # nor is NaN
            raise ValueError(f"{table}, line {number}: xmin, ymin, xmax and ymax must be pixels of the picture")
        if not (xmin < xmax and ymin < ymax):
            raise ValueError(f"{table}, line {number}: the box has no area")
        box = (xmin, ymin, xmax, ymax)
    source = row.get("source") if "file" in row else None
    return Example(picture, box, labels, source or table.stem, listing=row.get("listing") or "")
