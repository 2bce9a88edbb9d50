"""Detection sets as Pascal VOC: one XML file a picture, in one folder or in Annotations/ with ImageSets/."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from tools.training.datasets.labels import Box, LabelledPicture, Split, find_picture, is_file, split_of
from tools.training.datasets.problems import Kind, Problems


def looks_like(content: str) -> bool:
    """Whether the text of a file is a VOC annotation."""
    return content.lstrip()[:1] == "<" and "<annotation" in content


def read(path: Path, problems: Problems) -> Iterator[LabelledPicture]:
    """The pictures of all XML files in a folder and below, by path, or of one file.

    External entities and the like are refused as broken (defusedxml).
    """
    files = [path] if path.is_file() else sorted(path.rglob("*.xml"))
    splits = _lists(path)
    for file in files:
        try:
            root = parse(file, forbid_dtd=True).getroot()
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            problems.note(Kind.BROKEN_LABEL, str(file), f"not valid XML: {error or type(error).__name__}")
            continue
        if root is None or root.tag != "annotation":
            problems.note(Kind.BROKEN_LABEL, str(file), "its root is not <annotation>")
            continue
        name = _text(root, "filename") or file.with_suffix(".jpg").name
        sizes = [_number(root, f"size/{side}") for side in ("width", "height")]
        size = (int(sizes[0]), int(sizes[1])) if all(s is not None and s >= 1 for s in sizes) else None  # type: ignore[arg-type]
        boxes = tuple(box for item in root.iter("object") if (box := _box(item, file, problems)))
        split = splits.get(file.stem) or split_of(*file.relative_to(path).parts[:-1] if path.is_dir() else ())
        yield LabelledPicture(_picture(file, name), str(file), boxes, size, split=split)


def _picture(file: Path, name: str) -> Path:
    found = find_picture(file.parent, name)
    if is_file(found):
        return found
    # Renamed pictures: the annotation's own name is the better witness.
    for ending in (Path(name).suffix, ".jpg", ".jpeg", ".png", ".webp"):
        if is_file(other := find_picture(file.parent, file.stem + ending)):
            return other
    return found


def _box(item: Element, file: Path, problems: Problems) -> Box | None:
    corners = [_number(item, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
    xmin, ymin, xmax, ymax = corners
    if xmin is None or ymin is None or xmax is None or ymax is None:
        problems.note(Kind.BROKEN_LABEL, str(file), "an object has no bndbox with four numbers")
        return None
    return Box((xmin, ymin, xmax, ymax), _text(item, "name") or "object", _text(item, "text"))


def _text(element: Element, path: str) -> str | None:
    found = (element.findtext(path) or "").strip()
    return found or None


def _number(element: Element, path: str) -> float | None:
    try:
        value = float(element.findtext(path) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _lists(path: Path) -> dict[str, Split]:
    """The split of each picture that ImageSets/Main names."""
    found: dict[str, Split] = {}
    for file in sorted((path / "ImageSets" / "Main").glob("*.txt")):
        if file.stem == "trainval":
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.strip():
                found[line.split()[0]] = split_of(file.stem)
    return found
