"""Which kind of data set a path holds, told by its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path

from tools.training.datasets import coco, texts, voc, yolo
from tools.training.datasets.labels import LabelledPicture
from tools.training.datasets.problems import DataError, Problems

HEAD_CHARACTERS = 65_536
FILES_LOOKED_AT = 200
LOOKED_FOR = (
    "a COCO JSON (images, annotations), Pascal VOC XML files (<annotation>), YOLO text files with data.yaml or "
    "obj.names, or a CSV with the columns file_name and text"
)


class Form(StrEnum):
    """The forms of data sets that are understood."""

    COCO = "COCO"
    VOC = "Pascal VOC"
    YOLO = "YOLO"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Found:
    """One data set: its form, and the file or folder to hand to its importer."""

    form: Form
    path: Path


IMPORTERS: dict[Form, Callable[[Path, Problems], Iterator[LabelledPicture]]] = {
    Form.COCO: coco.read,
    Form.VOC: voc.read,
    Form.YOLO: yolo.read,
}


def find_sets(path: Path) -> list[Found]:
    """The data sets at a path; raises DataError that says what was looked for when there is none.

    A folder may hold several COCO files and several CSVs; of VOC and YOLO it is one set as a whole, and only where
    it has no COCO file (exports often bring the same boxes twice).
    """
    if not path.exists():
        raise DataError(f"{path} does not exist")
    if path.is_file():
        form = _form_of(path)
        if form is None:
            raise DataError(f"{path} is no data set that is understood; looked for {LOOKED_FOR}")
        return [Found(form, path)]
    files = {
        ending: list(islice(_below(path, ending), FILES_LOOKED_AT)) for ending in (".json", ".csv", ".xml", ".txt")
    }
    found = [Found(Form.COCO, file) for file in files[".json"] if coco.looks_like(_all(file))]
    if not found and any(voc.looks_like(_head(file)) for file in files[".xml"]):
        found = [Found(Form.VOC, path)]
    described = [path / name for name in yolo.DESCRIPTIONS if (path / name).is_file()]
    labels = (file for file in files[".txt"] if file.name.lower() not in yolo.SKIPPED)
    if not found and (described or any(yolo.is_label(_head(file)) for file in labels)):
        found = [Found(Form.YOLO, path)]
    found += [Found(Form.TEXTS, file) for file in files[".csv"] if texts.looks_like(_head(file))]
    if not found:
        raise DataError(f"{path} holds no data set that is understood; looked for {LOOKED_FOR}")
    return found


def _form_of(file: Path) -> Form | None:
    head = _head(file)
    if coco.looks_like(_all(file) if head.lstrip("\ufeff \t\r\n")[:1] == "{" else ""):
        return Form.COCO
    if voc.looks_like(head):
        return Form.VOC
    if file.suffix in (".yaml", ".yml") and yolo.looks_like(head):
        return Form.YOLO
    return Form.TEXTS if texts.looks_like(head) else None


def _below(folder: Path, ending: str) -> Iterator[Path]:
    """Files of that ending in the folder and below, those nearest first."""
    near = sorted(p for p in folder.glob("*") if p.suffix.lower() == ending and p.is_file())
    far = sorted(p for p in folder.glob("*/**/*") if p.suffix.lower() == ending and p.is_file())
    return chain(near, far)


def _head(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(HEAD_CHARACTERS)


def _all(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")
