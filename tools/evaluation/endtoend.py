"""What becomes of transcribed plates on whole pictures: found, read exactly, read wrongly with confidence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.evaluation.detection import match
from tools.evaluation.reading import PlateReading, plain
from tools.evaluation.runs import Detector, Image, Read, Reader, corner, cut, moved, reading_of
from tools.evaluation.sets import LabelledPicture

log = logging.getLogger("data")
NOTHING = Read("", 0.0, ())
Corners = tuple[float, float, float, float]
FAILURE_MARGIN = 0.2
MESSAGES = 5


class NoAnswerError(Exception):
    """A picture got no good answer; the message says what came instead."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A plate as a system answers it: xmin, ymin, xmax, ymax in pixels of the picture, score 0..1, and the read, whose
    corners are in pixels of the picture too."""

    box: Corners
    score: float
    read: Read


System = Callable[[Image], Sequence[Seen]]
"""From a BGR picture to the plates found and read in it. Raises NoAnswerError."""


@dataclass(frozen=True, slots=True, eq=False)
class PlateResult:
    """One transcribed plate: its reading, whether its box was found, and whether its text was read anywhere.

    `crop` shows a plate that was not read exactly, cut from the picture around its label; the reading's corners are in
    its pixels.
    """

    reading: PlateReading
    found: bool
    anywhere: bool
    crop: Image | None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """All transcribed plates of so many pictures, and the confidences of texts read where no plate is.

    In pictures that are `unanswered` nothing was found.
    """

    pictures: int
    plates: tuple[PlateResult, ...]
    ghosts: tuple[float, ...]
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class EndToEndFigures:
    """`exact` of `found` of `plates` were read exactly in their box, `anywhere` were read in any box of the picture.

    Of the `shown` reads at or above the confidence threshold, `wrong` read a transcribed plate otherwise than it
    is; `ghosts` are further texts shown that stand on no labelled plate.
    """

    pictures: int
    plates: int
    found: int
    exact: int
    anywhere: int
    shown: int
    wrong: int
    ghosts: int
    unanswered: int


def parts_system(detector: Detector, reader: Reader, *, threshold: float, margin: float) -> System:
    """Detector and reader in this process: boxes with `threshold` or more are cut, widened by `margin`, and read."""

    def look(image: Image) -> list[Seen]:
        found = []
        for box in detector(image):
            crop = cut(image, box, margin)
            if box[4] >= threshold and crop.size:
                left, top, right, bottom, score = (float(v) for v in box)
                read = moved(reader(crop), *corner(box, margin))
                found.append(Seen((left, top, right, bottom), score, read))
        return found

    return look


def run(
    system: System,
    pictures: Iterable[tuple[LabelledPicture, Image]],
    counts: Callable[[str], bool] = lambda text: True,
) -> Run:
    """Judges what the system answers on each picture; of the transcribed plates those whose text `counts`."""
    plates: list[PlateResult] = []
    ghosts: list[float] = []
    number = unanswered = 0
    for picture, image in pictures:
        number += 1
        seen: Sequence[Seen] = ()
        try:
            seen = system(image)
        except NoAnswerError as error:
            unanswered += 1
            if unanswered <= MESSAGES:
                log.warning("%s: %s", picture.path, error)
        boxes = np.array([(*s.box, s.score) for s in seen], np.float64).reshape(-1, 5)
        matched = match(boxes, picture.boxes).tolist()
        owner = {plate: s for plate, s in zip(matched, seen, strict=True) if plate >= 0}
        ghosts += [s.read.confidence for plate, s in zip(matched, seen, strict=True) if plate < 0 and s.read.text]
        texts = {s.read.text for s in seen}
        for i, truth in enumerate(picture.texts):
            if truth is None or not counts(truth):
                continue
            read = owner[i].read if i in owner else NOTHING
            x, y = corner(picture.boxes[i], FAILURE_MARGIN)
            reading = reading_of(f"{picture.path}#{i}", picture.source, truth, moved(read, -x, -y))
            crop = None if reading.exact else cut(image, picture.boxes[i], FAILURE_MARGIN).copy()
            plates.append(PlateResult(reading, i in owner, plain(truth) in texts, crop))
    return Run(number, tuple(plates), tuple(ghosts), unanswered)


def joined(runs: Sequence[Run]) -> Run:
    """Several runs as one."""
    return Run(
        sum(r.pictures for r in runs),
        tuple(p for r in runs for p in r.plates),
        tuple(g for r in runs for g in r.ghosts),
        sum(r.unanswered for r in runs),
    )


def figures(result: Run, threshold: float) -> EndToEndFigures:
    """The figures of a run; `threshold` is the least confidence of a read that is shown."""
    shown = [p.reading for p in result.plates if p.reading.text and p.reading.confidence >= threshold]
    return EndToEndFigures(
        result.pictures,
        len(result.plates),
        sum(p.found for p in result.plates),
        sum(p.reading.exact for p in result.plates),
        sum(p.anywhere for p in result.plates),
        len(shown),
        sum(not r.exact for r in shown),
        sum(c >= threshold for c in result.ghosts),
        result.unanswered,
    )
