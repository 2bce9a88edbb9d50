"""Step `crop`: the largest car or truck of each picture, with a margin, as a JPEG of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.images import encode_jpeg
from tools.dataset.manifest import Manifest
from tools.dataset.outcomes import Outcome
from tools.dataset.pictures import UnreadableError, read_colour
from tools.dataset.running import Runner
from tools.dataset.scoring.finder import WANTED, Finder, LabelFinder, ModelFinder, Vehicle

STEP = "crop"


@dataclass(frozen=True)
class CropJob:
    """Cuts out vehicles of at least ``least_px`` on both sides, widened by ``margin`` of their size, into ``folder``.

    ``labels`` is a COCO file that has the boxes; without one the detector in ``models`` finds them. A dry run writes
    no pictures.
    """

    root: bytes
    folder: bytes
    margin: float = 0.05
    least_px: int = 64
    labels: Path | None = None
    models: Path | None = None
    dry_run: bool = False

    def finder(self) -> Finder:
        """Raises DatasetError where labels or model are missing."""
        if self.labels is not None:
            return LabelFinder(Path(os.fsdecode(self.root)), self.labels)
        return ModelFinder(self.models)

    def worker(self) -> CropWorker:
        return CropWorker(self, self.finder())


class CropWorker:
    """Cuts pictures with a finder."""

    def __init__(self, job: CropJob, finder: Finder) -> None:
        self._job, self._finder = job, finder

    def __call__(self, number: int, path: bytes) -> Outcome:
        job = self._job
        try:
            image = read_colour(job.root, path)
        except UnreadableError as error:
            return Outcome("out", error.reason, str(error))
        vehicle = largest(self._finder.find(image, path))
        if vehicle is None:
            return Outcome("out", "no vehicle")
        cut = cut_out(image, vehicle, job.margin)
        height, width = cut.shape[:2]
        if min(height, width) < job.least_px:
            return Outcome("out", "small vehicle", f"it has {width} x {height} pixels")
        target = os.path.join(job.folder, path + b".jpg")  # noqa: PTH118 bytes
        if not job.dry_run:
            try:
                _write(target, encode_jpeg(cut, 92))
            except OSError as error:
                # Not the picture's fault: the step ends, and goes on here when there is room again.
                raise OSError(error.errno, f"cannot write {os.fsdecode(target)}: {error.strerror}") from error
        return Outcome("made", vehicle.label, f"{vehicle.score:.3f}", target=target)


def largest(vehicles: tuple[Vehicle, ...]) -> Vehicle | None:
    """The car or truck with the largest box; None where there is none."""
    return max((v for v in vehicles if v.label in WANTED and v.area_px > 0), key=lambda v: v.area_px, default=None)


def cut_out(image: NDArray[np.uint8], vehicle: Vehicle, margin: float) -> NDArray[np.uint8]:
    """The vehicle's part of the picture, widened on each side by ``margin`` of its size, as far as the picture goes."""
    height, width = image.shape[:2]
    left, top, right, bottom = vehicle.corners
    wide, high = margin * (right - left), margin * (bottom - top)
    rows = slice(max(0, round(top - high)), min(height, round(bottom + high)))
    columns = slice(max(0, round(left - wide)), min(width, round(right + wide)))
    return image[rows, columns]


def crop(
    manifest: Manifest, runner: Runner, job: CropJob, progress: Callable[[int], object], again: bool = False
) -> None:
    """Cuts out of all pictures that are in and not yet cut."""
    job.finder()  # what is missing is told before anything begins
    labels = job.labels and str(job.labels.resolve())
    manifest.begin(STEP, {"margin": job.margin, "least_px": job.least_px, "labels": labels}, again)
    for outcomes in runner.run(job, manifest.pages(manifest.pending(STEP))):
        manifest.write(STEP, outcomes)
        progress(len(outcomes))
    manifest.finish(STEP)


def _write(target: bytes, content: bytes) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 bytes
    draft = target + b".part"
    with open(draft, "wb") as stream:  # noqa: PTH123
        stream.write(content)
    os.replace(draft, target)  # noqa: PTH105
