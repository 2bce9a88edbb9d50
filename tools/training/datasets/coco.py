"""Detection sets as COCO JSON (https://cocodataset.org/#format-data)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.training.datasets.labels import Box, LabelledPicture, find_picture, split_of
from tools.training.datasets.problems import DataError, Kind, Problems

LONGEST_SHOWN = 80
MOST_PX = 10**6
"""Widths and heights beyond are not believed."""


def looks_like(content: str) -> bool:
    """Whether the text of a file is COCO: a JSON object with images and annotations."""
    return content.lstrip()[:1] == "{" and '"images"' in content and '"annotations"' in content


def read(file: Path, problems: Problems) -> Iterator[LabelledPicture]:
    """The pictures of one file, those without boxes included; ``text`` of an annotation is its transcription.

    Raises DataError where the file is not COCO at all; single records that make no sense are counted.
    """
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not valid JSON: {error}") from error
    images, annotations = (_records(content, key, file) for key in ("images", "annotations"))
    names: dict[object, str] = {}
    for number, category in enumerate(_records(content, "categories", file, needed=False)):
        key = _key(category.get("id"))
        if key is None:
            problems.note(Kind.BROKEN_LABEL, f"{file}: category {number}", f"its id is {_shown(category.get('id'))}")
            continue
        names[key] = str(category.get("name"))
    boxes: dict[object, list[Box]] = {}
    known = {_key(image.get("id")) for image in images}
    for number, annotation in enumerate(annotations):
        where = f"{file}: annotation {annotation.get('id', number)}"
        owner = _key(annotation.get("image_id"))
        if owner not in known:
            problems.note(Kind.BROKEN_LABEL, where, f"there is no image {annotation.get('image_id')!r}")
            continue
        corners = _corners(annotation.get("bbox"))
        if corners is None:
            problems.note(Kind.BROKEN_LABEL, where, f"bbox is not four numbers: {_shown(annotation.get('bbox'))}")
            continue
        category_id = annotation.get("category_id", "object")
        if isinstance(category_id, (list, dict)):
            problems.note(Kind.BROKEN_LABEL, where, f"its category_id is {_shown(category_id)}")
            continue
        label = names.get(_key(category_id), str(category_id))
        boxes.setdefault(owner, []).append(Box(corners, label, _text(annotation)))
    for number, image in enumerate(images):
        name = image.get("file_name")
        where = f"{file}: image {image.get('id', number)}"
        if not isinstance(name, str) or not name:
            problems.note(Kind.BROKEN_LABEL, where, "it has no file_name")
            continue
        width, height = image.get("width"), image.get("height")
        stated = None
        if isinstance(width, int) and isinstance(height, int) and 0 < width < MOST_PX and 0 < height < MOST_PX:
            stated = (width, height)
        # Which split the file speaks of: its own name, or its folder's (train/_annotations.coco.json).
        split = split_of(file.parent.name, str(image.get("split", "")), file=file.stem)
        found = boxes.get(_key(image.get("id")), ())
        yield LabelledPicture(find_picture(file.parent, name), where, tuple(found), stated, split=split)


def _records(content: Any, key: str, file: Path, needed: bool = True) -> list[dict[str, Any]]:
    records = content.get(key, None if needed else []) if isinstance(content, dict) else None
    if not isinstance(records, list):
        raise DataError(f"{file} is not a COCO detection set: it has no list {key!r}")
    return [record for record in records if isinstance(record, dict)]


def _key(value: object) -> object:
    # Some tools write the same number as text in one place and as a number in the other.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, str)) else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _corners(bbox: object) -> tuple[float, float, float, float] | None:
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(isinstance(b, (int, float)) for b in bbox):
        return None
    try:
        x, y, width, height = (float(b) for b in bbox)
    except OverflowError:  # a whole number beyond what floats hold
        return None
    return (x, y, x + width, y + height) if math.isfinite(x + y + width + height) else None


def _text(annotation: dict[str, Any]) -> str | None:
    attributes = annotation.get("attributes")
    places = (annotation, attributes if isinstance(attributes, dict) else {})
    texts = (place.get(key) for place in places for key in ("text", "plate", "transcription"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)
