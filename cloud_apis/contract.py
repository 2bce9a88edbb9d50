"""The contract between the device and the prediction APIs: paths, limits, and what the answers look like.

Both sides import this module, so it needs nothing but the standard library. Parsing is strict: an answer that
is not exactly of the promised form raises `ContractError` and is never passed on half understood.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

YOLOV3_PATH: Final = "/yolov3"
CRNN_PATH: Final = "/crnn"
READER_PATH: Final = "/license-plate-reader"
API_KEY_HEADER: Final = "X-API-Key"
MAX_BYTES: Final = 8 * 2**20
"""Largest picture or body of crops, in bytes."""
MAX_PIXELS: Final = 25_000_000
"""Largest picture, in pixels (width times height)."""
MAX_SIDE_PX: Final = 65_500
"""Longest side of a picture, in pixels: JPEG's own limit."""
MAX_CROPS: Final = 64
"""Most crops in one request to `/crnn`."""

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


class ContractError(ValueError):
    """An answer that does not follow the contract; the message names the place and what was expected."""


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


def reader_answer(plates: Iterable[PlateRead]) -> dict[str, object]:
    """The JSON body of an answer of `/license-plate-reader`."""
    return {
        "plates": [
            {
                "box": [p.box.xmin, p.box.ymin, p.box.xmax, p.box.ymax],
                "score": p.box.score,
                "text": plate_text(p.words),
                "confidence": plate_confidence(p.words),
                "words": [
                    {"text": w.text, "quad": [list(q) for q in w.quad], "confidences": list(w.confidences)}
                    for w in p.words
                ],
            }
            for p in plates
        ]
    }


def error_body(code: str, message: str) -> dict[str, object]:
    """The JSON body of every answer that is not a success."""
    return {"error": {"code": code, "message": message}}


def parse_yolov3_answer(obj: object) -> tuple[PlateBox, ...]:
    """Boxes of a decoded `/yolov3` answer; `ContractError` where it is not as `yolov3_answer` writes it."""
    return tuple(_box(b, f"boxes[{i}]") for i, b in enumerate(_list(_field(obj, "boxes"), "boxes")))


def parse_crnn_answer(obj: object, crops: int) -> tuple[tuple[Word, ...], ...]:
    """Words per crop of a decoded `/crnn` answer to a request with that many crops.

    Raises `ContractError` where it is not as `crnn_answer` writes it, also when the number of crops differs. The
    field `plate-confidences` may be absent: it is younger than the others.
    """
    plates = _list(_field(obj, "license-plates"), "license-plates", crops)
    confidences = _list(_field(obj, "confidences"), "confidences", crops)
    whole: list[float | None] = [None] * crops
    if isinstance(obj, dict) and "plate-confidences" in obj:
        told = _list(obj["plate-confidences"], "plate-confidences", crops)
        whole = [_probability(c, f"plate-confidences[{i}]") for i, c in enumerate(told)]
    answer = []
    for i, (plate, scores) in enumerate(zip(plates, confidences, strict=True)):
        words = _list(plate, f"license-plates[{i}]")
        per_word = _list(scores, f"confidences[{i}]", len(words))
        read = (_word(w, s, f"[{i}][{j}]") for j, (w, s) in enumerate(zip(words, per_word, strict=True)))
        answer.append(tuple(replace(word, plate_confidence=whole[i]) for word in read))
    return tuple(answer)


def _box(obj: object, where: str) -> PlateBox:
    xmin, ymin, xmax, ymax, objectness, scores = _list(obj, where, 6)
    box = PlateBox(
        _number(xmin, where),
        _number(ymin, where),
        _number(xmax, where),
        _number(ymax, where),
        _probability(objectness, where),
        tuple(_probability(s, f"{where}[5]") for s in _list(scores, f"{where}[5]")),
    )
    if not box.class_scores:
        raise ContractError(f"{where}[5] has no class score")
    if box.xmin > box.xmax or box.ymin > box.ymax:
        raise ContractError(f"{where} is inside out")
    return box


def _word(obj: object, scores: object, where: str) -> Word:
    text, quad = _list(obj, f"license-plates{where}", 2)
    if not isinstance(text, str):
        raise ContractError(f"license-plates{where}[0] is not a string")
    a, b, c, d = (_point(p, f"license-plates{where}[1]") for p in _list(quad, f"license-plates{where}[1]", 4))
    per_character = _list(scores, f"confidences{where}", len(text))
    return Word(text, (a, b, c, d), tuple(_probability(s, f"confidences{where}") for s in per_character))


def _point(obj: object, where: str) -> Point:
    x, y = _list(obj, where, 2)
    return _number(x, where), _number(y, where)


def _field(obj: object, name: str) -> object:
    if not isinstance(obj, dict) or name not in obj:
        raise ContractError(f"the answer is not an object with a field {name!r}")
    return obj[name]


def _list(obj: object, where: str, length: int | None = None) -> list[object]:
    if not isinstance(obj, list):
        raise ContractError(f"{where} is not a list")
    if length is not None and len(obj) != length:
        raise ContractError(f"{where} has {len(obj)} elements instead of {length}")
    return obj


def _number(obj: object, where: str) -> float:
    if isinstance(obj, bool) or not isinstance(obj, int | float):
        raise ContractError(f"{where} holds something that is not a number")
    try:
        value = float(obj)
    except OverflowError as error:
        raise ContractError(f"{where} holds a number beyond all bounds") from error
    if not math.isfinite(value):
        raise ContractError(f"{where} holds a number that is not finite")
    return value


def _probability(obj: object, where: str) -> float:
    value = _number(obj, where)
    if not 0.0 <= value <= 1.0:
        raise ContractError(f"{where} holds a score outside 0..1")
    return value
