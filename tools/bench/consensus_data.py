"""The recordings that tracking and voting are measured on, with what the models answer to them, asked once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2

from cloud_apis.contract import PlateBox, Word, crnn_answer, parse_crnn_answer, parse_yolov3_answer, yolov3_answer
from cloud_apis.images import decode_grey, inspect
from cloud_apis.model_files import packaged_models
from cloud_apis.reader import load_reader
from cloud_apis.settings import load_settings
from cloud_apis.yolov3.detector import load_detector
from edge_client.config import DetectionSettings
from edge_client.imaging import frame_boxes, reduce_frame
from edge_client.tracking.motion import overlap, shape_of
from edge_client.types import Image

_SAME_PLATE: Final = 0.3  # overlap of a box with a label
_CLIP_RATE_HZ: Final = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame at its time in seconds; of ``labels`` each has a box and its text, empty where nobody can read it."""

    time_s: float
    image: Image
    labels: tuple[tuple[PlateBox, str], ...] = ()

    def label_of(self, box: PlateBox) -> str | None:
        """The text of the labelled plate at that box; None where none is labelled."""
        found = max(self.labels, key=lambda label: _common(label[0], box), default=None)
        return found[1] if found is not None and _common(found[0], box) >= _SAME_PLATE else None


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Frames in order. Where ``boxed``, its frames are labelled box by box, else only ``plates`` names the texts."""

    name: str
    group: str
    files: tuple[tuple[float, Path], ...]
    labels: dict[Path, tuple[tuple[PlateBox, str], ...]] = field(default_factory=dict)
    plates: frozenset[str] = frozenset()
    boxed: bool = True

    def pictures(self) -> Iterator[Picture]:
        """The frames, read one by one. Raises OSError."""
        for time_s, path in self.files:
            image = cv2.imread(str(path)) if self.boxed else None
            if self.boxed and image is None:
                raise OSError(f"cannot read the picture {path}")
            if image is not None:
                yield Picture(time_s, image, self.labels.get(path, ()))  # type: ignore[arg-type]
            else:
                yield from _frames(path)


def recordings(root: Path) -> list[Recording]:
    """`ro_dashcam`, drive by drive and split by split, and the clips. Raises OSError where they are missing."""
    return [*_drives(root / "plates", "train"), *_drives(root / "plates", "val"), *_clips(root / "clips")]


def _drives(folder: Path, split: str) -> list[Recording]:
    """The file names hold the drive and its second: `dayride_type1_001.mp4_t_1054.webp`."""
    content = json.loads((folder / f"ro_dashcam_{split}.json").read_text(encoding="utf-8"))
    labels: dict[int, list[tuple[PlateBox, str]]] = {}
    for a in content["annotations"]:
        x, y, width, height = a["bbox"]
        box = PlateBox(x, y, x + width, y + height, 1.0, (1.0,))
        labels.setdefault(a["image_id"], []).append((box, (a.get("text") or "").replace("/", "")))
    drives: dict[str, list[tuple[float, Path, int]]] = {}
    for picture in content["images"]:
        drive, second = Path(picture["file_name"]).stem.split(".mp4_t_")
        drives.setdefault(drive, []).append((float(second), folder / picture["file_name"], picture["id"]))
    found = []
    for drive, entries in sorted(drives.items()):
        of_path = {path: tuple(labels.get(number, ())) for _, path, number in entries}
        texts = frozenset(text for boxes in of_path.values() for _, text in boxes if text)
        files = tuple((second, path) for second, path, _ in sorted(entries))
        found.append(Recording(f"{drive} ({split})", f"ro_dashcam {split}", files, of_path, texts))
    return found


def _clips(folder: Path) -> list[Recording]:
    lines = (folder / "truth.csv").read_text(encoding="utf-8").splitlines()[1:]
    found = []
    for line in lines:
        name, plates = line.split(",")
        files = ((0.0, folder / name),)
        found.append(Recording(name, "clips", files, plates=frozenset(plates.split()), boxed=False))
    return found


def _frames(path: Path) -> Iterator[Picture]:
    capture = cv2.VideoCapture(str(path))
    try:
        number = 0
        while (read := capture.read())[0]:
            yield Picture(number / _CLIP_RATE_HZ, read[1])  # type: ignore[arg-type]
            number += 1
    finally:
        capture.release()
    if not number:
        raise OSError(f"cannot read the video {path}")


def _common(a: PlateBox, b: PlateBox) -> float:
    return overlap(shape_of(a), shape_of(b))


class Models:
    """The shipped models in this process, asked as the device asks the APIs; each answer is kept.

    ``cache`` is a JSON file of answers, so that a further run need not ask again; it holds what the models said, so
    it must go when they change.
    """

    def __init__(self, config: Path | None, models: Path | None, cache: Path | None) -> None:
        chosen = load_settings(config)
        folder = models or (Path(chosen.models) if chosen.models else packaged_models())
        self._detector = load_detector(folder, chosen.yolov3)
        self._reader = load_reader(folder, chosen)
        self._cache = cache
        self._answers: dict[str, object] = {}
        if cache is not None and cache.is_file():
            self._answers = json.loads(cache.read_text(encoding="utf-8"))
        self._before = len(self._answers)

    def detect(self, image: Image, settings: DetectionSettings) -> tuple[PlateBox, ...]:
        """Boxes in pixels of the frame."""
        reduced = reduce_frame(image, settings)
        key = _key(reduced.jpeg)
        if key not in self._answers:
            grey = decode_grey(reduced.jpeg, inspect(reduced.jpeg))
            self._answers[key] = yolov3_answer(self._detector.find(grey))
        return frame_boxes(parse_yolov3_answer(self._answers[key]), reduced, image, settings.min_score)

    def read(self, crops: Sequence[bytes]) -> list[tuple[Word, ...]]:
        """The words on each crop."""
        for crop in crops:
            if _key(crop) not in self._answers:
                self._answers[_key(crop)] = crnn_answer(self._reader.read([decode_grey(crop, inspect(crop))]))
        return [parse_crnn_answer(self._answers[_key(crop)], 1)[0] for crop in crops]

    def save(self) -> None:
        """Write new answers to the cache, if there is one."""
        if self._cache is not None and len(self._answers) > self._before:
            self._cache.write_text(json.dumps(self._answers), encoding="utf-8")


def _key(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
