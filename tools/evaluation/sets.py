"""The labelled photos: detection sets per source, and the transcribed crops of plates, split by split.

`val` took no part in training or in any choice. `dev` is the part of `train` that is kept aside of training, which
decisions are made on: of the detection sets by the picture's name, of the texts by the text. `train` is the rest.
What is wrong with a set is counted in a `Problems`, and the rest of it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from tools.evaluation.detection import Array
from tools.training.common.crops import part_of
from tools.training.datasets import coco, texts
from tools.training.datasets.boxes import usable_boxes
from tools.training.datasets.labels import LabelledPicture as Labels
from tools.training.datasets.labels import plate_classes
from tools.training.datasets.pictures import Picture
from tools.training.datasets.problems import Kind, Problems
from tools.training.yolov3.dataset import in_dev

Split = Literal["val", "dev", "train"]
SPLITS: Final[tuple[Split, ...]] = ("val", "dev", "train")
DETECTION_SOURCES: Final = ("ro_dashcam", "open_lpr", "openimages", "roboflow_experiment_plates")
"""Sources that have a `val` split."""
READ_SOURCES: Final = ("ro_dashcam", "open_lpr", "openimages")
"""Those of them whose plates are transcribed."""
TRAIN_ONLY: Final = ("kaggle433",)
"""Sources without a `val` split, transcribed."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A photo and its plates.

    `boxes` is float64 of shape (m, 4): xmin, ymin, xmax, ymax in pixels of the upright picture, within it; plates
    that nobody can read are among them. `texts` has one entry per box: its transcription, or None.
    """

    path: Path
    source: str
    width_px: int
    height_px: int
    boxes: Array
    texts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class TranscribedCrop:
    """A plate cut from a photo at full resolution, with what stands on it; `where` is the row that says so."""

    path: Path
    source: str
    text: str
    where: str = ""


def load_pictures(root: Path, source: str, split: Split, problems: Problems) -> list[Labels]:
    """The labels of one source's pictures, by file name, nothing of the pictures themselves read yet.

    Raises FileNotFoundError that names the missing set.
    """
    folder = root / "plates"
    annotations = folder / f"{source}_{'val' if split == 'val' else 'train'}.json"
    if not annotations.is_file():
        raise FileNotFoundError(f"no such data set: {annotations}")
    pictures = sorted(coco.read(annotations, problems), key=lambda p: p.file)
    if split == "val":
        return pictures
    return [p for p in pictures if in_dev(_name(p.file, folder)) == (split == "dev")]


def reader_dev(labels: Labels) -> bool:
    """Whether one of the picture's transcriptions is kept aside of the reader's training."""
    return any(box.text is not None and part_of(box.text, "train") == "dev" for box in labels.boxes)


def opened(
    pictures: Iterable[Labels], source: str, problems: Problems
) -> Iterator[tuple[LabelledPicture, NDArray[np.uint8]]]:
    """Each picture that can be read, uint8 BGR, with its boxes made fit; the others are noted and left out."""
    pictures = list(pictures)
    chosen = plate_classes((box.label for one in pictures for box in one.boxes), None, source)
    for one in pictures:
        image = try_picture(one.file, one.where, problems)
        if image is None:
            continue
        height, width = image.shape[:2]
        stored, turned = ((width, height), 1) if one.size_px in (None, (width, height)) else _header(one.file)
        boxes, transcriptions = usable_boxes(one, Picture(image[:, :, 0], stored, turned), problems, chosen)
        read = tuple(t and texts.plate_text(t, one.where, problems) for t in transcriptions)
        yield LabelledPicture(one.file, source, width, height, boxes.astype(np.float64), read), image


def load_crops(
    root: Path, split: Split, sources: Sequence[str] = (), problems: Problems | None = None
) -> tuple[TranscribedCrop, ...]:
    """The transcribed crops of a split, of all sources when none is named."""
    rows = texts.read(root / "plates" / "texts.csv", problems or Problems())
    return tuple(crop_of(r) for r in rows if part_of(r.text, r.split) == split and (not sources or r.source in sources))


def crop_of(row: texts.TextRow) -> TranscribedCrop:
    """The crop that a row of texts describes."""
    return TranscribedCrop(row.file, row.source, row.text, row.where)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture, upright, as uint8 BGR (height, width, 3). Raises OSError when it cannot be read."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no picture {path}")
    try:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise OSError(f"cannot read the picture {path}: {error.err}") from error
    if image is None:
        raise OSError(f"cannot read the picture {path}")
    return np.asarray(image, dtype=np.uint8)


def try_picture(path: Path, where: str, problems: Problems) -> NDArray[np.uint8] | None:
    """Like `read_picture`, but a picture that cannot be read is noted and None."""
    try:
        return read_picture(path)
    except OSError as error:
        kind = Kind.BROKEN_PICTURE if path.is_file() else Kind.MISSING_PICTURE
        problems.note(kind, where or str(path), str(error))
        return None


def _header(path: Path) -> tuple[tuple[int, int], int]:
    """Width and height as they are stored, and the EXIF orientation (1: upright)."""
    try:
        with Image.open(path) as picture:
            return picture.size, int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except (OSError, UnidentifiedImageError, ValueError):
        return (0, 0), 1


def _name(file: Path, folder: Path) -> str:
    """The picture's name as its set has it, which decides about `dev`."""
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
