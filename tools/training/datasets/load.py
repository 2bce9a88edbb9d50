"""From ``--data`` to training samples: pictures with boxes for the detector, crops with texts for the reader."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tools.data import require_data_root
from tools.training.common.crops import MAX_HEIGHT_PX, MAX_WIDTH_PX, Part, RealCrop, load_crops, part_of, reduce
from tools.training.datasets.boxes import usable_boxes
from tools.training.datasets.find import IMPORTERS, LOOKED_FOR, Form, Found, find_sets
from tools.training.datasets.labels import LabelledPicture, is_file, plate_classes
from tools.training.datasets.pictures import PictureError, read_picture
from tools.training.datasets.problems import DataError, Kind, Problems
from tools.training.datasets.texts import TextRow, plate_text
from tools.training.datasets.texts import read as read_texts
from tools.training.yolov3.dataset import LONGEST_SIDE_PX, Sample

log = logging.getLogger("data")
CROP_MARGIN = 0.05


@dataclass(frozen=True)
class Material:
    """What was read: samples for the detector, crops for the reader with their parts, and what went wrong."""

    samples: list[Sample] = field(default_factory=list)
    crops: list[tuple[RealCrop, Part]] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    kept_aside: list[LabelledPicture | TextRow] = field(default_factory=list)

    def part(self, part: Part) -> list[RealCrop]:
        """The crops of one part; a plate's text decides between train and dev."""
        return [crop for crop, its in self.crops if its == part]

    def summary(self) -> str:
        """Two lines: what there is, and what was wrong."""
        boxes = sum(len(sample.boxes) for sample in self.samples)
        empty = sum(not len(sample.boxes) for sample in self.samples)
        counts = f"{len(self.samples)} pictures ({empty} without plates) with {boxes} plates"
        aside = f"; {len(self.kept_aside)} of a val or test split kept aside" if self.kept_aside else ""
        return f"{counts}, {len(self.crops)} texts{aside}\nproblems: {self.problems.summary()}"


def load_material(paths: Sequence[Path], label: str | None = None) -> Material:
    """Read the data sets at these paths, of whatever form; pictures kept aside (val, test) are not taken.

    ``label`` names the class that is the plate, where a set has several. Raises DataError when a path holds no
    data set, or when of all of them nothing can be used.
    """
    material = Material()
    for path in paths:
        for found in find_sets(path):
            log.info("%s: %s", found.path, found.form)
            if found.form is Form.TEXTS:
                _add_crops(found.path, material)
            else:
                _add_pictures(found, label, material)
    log.info("%s", material.summary())
    if not material.crops and not any(len(sample.boxes) for sample in material.samples):
        where = ", ".join(str(path) for path in paths)
        raise DataError(
            f"nothing usable in {where}: {'; '.join(material.summary().splitlines())}; looked for {LOOKED_FOR}"
        )
    return material


def real_crops(data: Sequence[Path], label: str | None = None) -> Callable[[Part], list[RealCrop]]:
    """The crops of a part: of these data sets, or of the data folder if none is named.

    Raises DataError, also where the data sets hold no text at all.
    """
    if not data:
        root = require_data_root()
        return lambda part: load_crops(root, part)
    material = load_material(data, label)
    if not material.crops:
        raise DataError(f"no texts in {', '.join(map(str, data))}: a CSV with the columns file_name and text has them")
    return material.part


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --data and --label, which all trainers have."""
    parser.add_argument(
        "--data", type=Path, action="append", default=[], metavar="PATH",
        help="data set in place of the data folder's (may be given several times): COCO JSON, Pascal VOC or YOLO "
        "folder, CSV of texts; told by its content",
    )  # fmt: skip
    parser.add_argument("--label", help="class that is the plate, where a data set has several")


def _add_pictures(found: Found, label: str | None, material: Material) -> None:
    labelled = list(IMPORTERS[found.form](found.path, material.problems))
    chosen = plate_classes((box.label for one in labelled for box in one.boxes), label, str(found.path))
    source = found.path.stem
    taken = [one for one in labelled if one.split == "train"]
    material.kept_aside.extend(one for one in labelled if one.split == "val")
    seen: set[Path] = set()
    for one in tqdm(taken, desc=source, unit="photo", mininterval=2):
        if one.file in seen:
            material.problems.note(Kind.REPEATED, one.where, f"{one.file} was labelled before")
            continue
        seen.add(one.file)
        sample, texts, full = _sample(one, source, chosen, material.problems) or (None, [], None)
        if sample is None or full is None:
            continue
        material.samples.append(sample)
        boxes = sample.boxes * np.float32(full.shape[1] / sample.image.shape[1])
        material.crops.extend(_crops_in(one, source, full, boxes, texts, material.problems))


def _sample(
    one: LabelledPicture, source: str, chosen: frozenset[str], problems: Problems
) -> tuple[Sample, list[str | None], NDArray[np.uint8]] | None:
    """The picture reduced to 960 px with its boxes, their texts, and the picture at full size."""
    try:
        picture = read_picture(one.file)
    except PictureError as error:
        kind = Kind.BROKEN_PICTURE if is_file(one.file) else Kind.MISSING_PICTURE
        problems.note(kind, f"{one.where}: {one.file}", str(error))
        return None
    boxes, texts = usable_boxes(one, picture, problems, chosen)
    image, scale = reduce(picture.image, LONGEST_SIDE_PX, LONGEST_SIDE_PX)
    return Sample(_name(one.file), source, image, boxes * np.float32(scale)), texts, picture.image


def _crops_in(
    one: LabelledPicture,
    source: str,
    image: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    texts: list[str | None],
    problems: Problems,
) -> Iterator[tuple[RealCrop, Part]]:
    """Crops of the boxes that have a text, with a little room around them."""
    for number, (box, written) in enumerate(zip(boxes, texts, strict=True)):
        text = None if written is None else plate_text(written, one.where, problems)
        if text is None:
            continue
        margin = CROP_MARGIN * (box[3] - box[1])
        x0, y0 = (max(0, int(v - margin)) for v in box[:2])
        x1, y1 = (int(np.ceil(v + margin)) for v in box[2:])
        yield _crop(f"{_name(one.file)}#{number}", text, source, image[y0:y1, x0:x1]), part_of(text, one.split)


def _add_crops(file: Path, material: Material) -> None:
    names = {crop.file_name for crop, _ in material.crops}
    for row in tqdm(list(read_texts(file, material.problems)), desc=file.stem, unit="crop", mininterval=2):
        if row.split == "val":
            material.kept_aside.append(row)
            continue
        try:
            image = read_picture(row.file).image
        except PictureError as error:
            kind = Kind.BROKEN_PICTURE if is_file(row.file) else Kind.MISSING_PICTURE
            material.problems.note(kind, f"{row.where}: {row.file}", str(error))
            continue
        name = row.name if row.name not in names else f"{file.stem}/{row.name}#{len(material.crops)}"
        names.add(name)
        material.crops.append((_crop(name, row.text, row.source, image), part_of(row.text, row.split)))


def _crop(name: str, text: str, source: str, image: NDArray[np.uint8]) -> RealCrop:
    reduced, scale = reduce(np.ascontiguousarray(image), MAX_WIDTH_PX, MAX_HEIGHT_PX)
    return RealCrop(name, text, source, reduced, scale)


def _name(file: Path) -> str:
    """A name that stays the same wherever the data set lies: it decides which pictures are held out."""
    return f"{file.parent.name}/{file.name}"
