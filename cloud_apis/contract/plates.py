"""Plates: boxes found in a picture, words read on crops, and how the APIs answer with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cloud_apis.contract.parsing import ContractError, field, items, number, probability

YOLOV3_PATH: Final = "/yolov3"
CRNN_PATH: Final = "/crnn"
READER_PATH: Final = "/license-plate-reader"

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class PlateBox:
    """A detected plate: corners in pixels of the picture sent, objectness and class scores in 0..1."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    objectness: float
    class_scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """Objectness times the best class score, 0..1."""
        return self.objectness * max(self.class_scores, default=0.0)


@dataclass(frozen=True, slots=True)
class Word:
    """A text line on a plate: its four corners in crop pixels, clockwise from the top left, and one
    confidence in 0..1 per character.

    `plate_confidence` is the chance, 0..1, that everything read on its plate is right; None where the API does
    not tell. Confidences of characters and plates are calibrated: of reads at 0.9, nine in ten are right.
    """

    text: str
    quad: Quad
    confidences: tuple[float, ...]
    plate_confidence: float | None = None

    @property
    def confidence(self) -> float:
        """The least confidence over the characters; 0 for an empty text."""
        return min(self.confidences, default=0.0)


@dataclass(frozen=True, slots=True)
class PlateRead:
    """A detected plate with the words read on it; their corners are in pixels of the picture sent."""

    box: PlateBox
    words: tuple[Word, ...]


def plate_text(words: Iterable[Word]) -> str:
    """The text of a plate: its words joined in reading order, without a space."""
    return "".join(w.text for w in words)


def plate_confidence(words: Iterable[Word]) -> float:
    """The chance that a plate is read fully right, 0..1, 0 when nothing is read; from an API that does not tell
    it, the least confidence over all characters."""
    told = [min(w.confidences, default=0.0) if w.plate_confidence is None else w.plate_confidence for w in words]
    return min(told, default=0.0)


def yolov3_answer(boxes: Iterable[PlateBox]) -> dict[str, object]:
    """The JSON body of an answer of `/yolov3`."""
    return {"boxes": [[b.xmin, b.ymin, b.xmax, b.ymax, b.objectness, list(b.class_scores)] for b in boxes]}


def crnn_answer(words: Iterable[Sequence[Word]]) -> dict[str, object]:
    """The JSON body of an answer of `/crnn`: one list of words per crop, in the order of the crops."""
    crops = [list(crop) for crop in words]
    answer: dict[str, object] = {
        "license-plates": [[[w.text, [list(p) for p in w.quad]] for w in crop] for crop in crops],
        "confidences": [[list(w.confidences) for w in crop] for crop in crops],
    }
    if all(w.plate_confidence is not None for crop in crops for w in crop):
        answer["plate-confidences"] = [plate_confidence(crop) for crop in crops]
    return answer


def plate_answer(plate: PlateRead) -> dict[str, object]:
    """A plate within an answer."""
    return {
        "box": [plate.box.xmin, plate.box.ymin, plate.box.xmax, plate.box.ymax],
        "score": plate.box.score,
        "text": plate_text(plate.words),
        "confidence": plate_confidence(plate.words),
        "words": [
            {"text": w.text, "quad": [list(q) for q in w.quad], "confidences": list(w.confidences)} for w in plate.words
        ],
    }


def reader_answer(plates: Iterable[PlateRead]) -> dict[str, object]:
    """The JSON body of an answer of `/license-plate-reader`."""
    return {"plates": [plate_answer(plate) for plate in plates]}


def parse_yolov3_answer(obj: object) -> tuple[PlateBox, ...]:
    """Boxes of a decoded `/yolov3` answer; `ContractError` where it is not as `yolov3_answer` writes it."""
    return tuple(_box(b, f"boxes[{i}]") for i, b in enumerate(items(field(obj, "boxes"), "boxes")))


def parse_crnn_answer(obj: object, crops: int) -> tuple[tuple[Word, ...], ...]:
    """Words per crop of a decoded `/crnn` answer to a request with that many crops.

    Raises `ContractError` where it is not as `crnn_answer` writes it, also when the number of crops differs. The
    field `plate-confidences` may be absent: it is younger than the others.
    """
    plates = items(field(obj, "license-plates"), "license-plates", crops)
    confidences = items(field(obj, "confidences"), "confidences", crops)
    whole: list[float | None] = [None] * crops
    if isinstance(obj, dict) and "plate-confidences" in obj:
        told = items(obj["plate-confidences"], "plate-confidences", crops)
        whole = [probability(c, f"plate-confidences[{i}]") for i, c in enumerate(told)]
    answer = []
    for i, (plate, scores) in enumerate(zip(plates, confidences, strict=True)):
        words = items(plate, f"license-plates[{i}]")
        per_word = items(scores, f"confidences[{i}]", len(words))
        read = (_word(w, s, f"[{i}][{j}]") for j, (w, s) in enumerate(zip(words, per_word, strict=True)))
        answer.append(tuple(replace(word, plate_confidence=whole[i]) for word in read))
    return tuple(answer)


def _box(obj: object, where: str) -> PlateBox:
    xmin, ymin, xmax, ymax, objectness, scores = items(obj, where, 6)
    box = PlateBox(
        number(xmin, where),
        number(ymin, where),
        number(xmax, where),
        number(ymax, where),
        probability(objectness, where),
        tuple(probability(s, f"{where}[5]") for s in items(scores, f"{where}[5]")),
    )
    if not box.class_scores:
        raise ContractError(f"{where}[5] has no class score")
    if box.xmin > box.xmax or box.ymin > box.ymax:
        raise ContractError(f"{where} is inside out")
    return box


def _word(obj: object, scores: object, where: str) -> Word:
    text, quad = items(obj, f"license-plates{where}", 2)
    if not isinstance(text, str):
        raise ContractError(f"license-plates{where}[0] is not a string")
    a, b, c, d = (_point(p, f"license-plates{where}[1]") for p in items(quad, f"license-plates{where}[1]", 4))
    per_character = items(scores, f"confidences{where}", len(text))
    return Word(text, (a, b, c, d), tuple(probability(s, f"confidences{where}") for s in per_character))


def _point(obj: object, where: str) -> Point:
    x, y = items(obj, where, 2)
    return number(x, where), number(y, where)
