"""Plate crops with their texts, as CSV: ``file_name,text[,source,split,…]``, lines of a plate joined by ``/``."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloud_apis.crnn.postprocess import ALPHABET
from tools.training.datasets.labels import Split, find_picture, split_of
from tools.training.datasets.problems import DataError, Kind, Problems

FILE_COLUMNS = ("file_name", "filename", "file", "image", "path")
TEXT_COLUMNS = ("text", "plate", "transcription", "label", "words")
MAX_LINE_CHARACTERS = 16
SEPARATORS = re.compile(r"[\s\-–—‐‑._·•∙:,*]+")
# Letters that other alphabets draw as Latin ones: a plate that shows АВ shows AB.
LOOK_ALIKE = str.maketrans("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSABEZHIKMNOPTYX")


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row: the crop's file, its text in our letters, where it came from (file and line), source and split."""

    file: Path
    name: str
    text: str
    where: str
    source: str
    split: Split


def looks_like(content: str) -> bool:
    """Whether the text of a file is such a CSV: its header names a file and a text."""
    columns = [c.strip().strip('"').lower() for c in re.split(r"[,;\t]", content.lstrip("\ufeff").split("\n", 1)[0])]
    return _column(columns, FILE_COLUMNS) is not None and _column(columns, TEXT_COLUMNS) is not None


def read(file: Path, problems: Problems) -> Iterator[TextRow]:
    """The rows of one file whose text can be used. Raises DataError where the columns are missing."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            first = stream.readline()
            stream.seek(0)
            delimiter = max(",;\t", key=first.count)
            rows = csv.reader(stream, delimiter=delimiter)
            columns = [name.strip().lower() for name in next(rows, [])]
            at_file, at_text = _column(columns, FILE_COLUMNS), _column(columns, TEXT_COLUMNS)
            if at_file is None or at_text is None:
                raise DataError(
                    f"{file}: its first line must name the columns file_name and text, not {first.strip()!r}"
                )
            for row in rows:
                where = f"{file}:{rows.line_num}"
                if not any(row):
                    continue
                if len(row) <= max(at_file, at_text):
                    problems.note(Kind.BROKEN_LABEL, where, "the row is too short")
                    continue
                text = plate_text(row[at_text], where, problems)
                if text is None:
                    continue
                fields = dict(zip(columns, row, strict=False))
                name, source = row[at_file].strip(), fields.get("source", "").strip() or file.stem
                yield TextRow(
                    find_picture(file.parent, name), name, text, where, source, split_of(fields.get("split", ""))
                )
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} is not a CSV in UTF-8: {error}") from error


def plate_text(written: str, where: str, problems: Problems) -> str | None:
    """The text in the reader's letters, lines joined by ``/``; None, and a note, where it cannot be had.

    Capitals replace small letters; spaces, hyphens and dots go; Cyrillic and Greek letters that look like Latin
    ones become those. Any other character leaves the text out: half a text would teach a wrong one.
    """
    lines = [SEPARATORS.sub("", line) for line in re.split(r"[/|\n]", written.strip())]
    text = "/".join(line for line in lines if line)
    if not text:
        problems.note(Kind.EMPTY_TEXT, where, f"the text {written!r} has no character")
        return None
    # Letter by letter: one that two capitals stand for (ß) is a foreign one.
    text = "".join(c.upper() if len(c.upper()) == 1 else c for c in text).translate(LOOK_ALIKE)
    foreign = sorted(set(text) - set(ALPHABET) - {"/"})
    if foreign:
        problems.note(Kind.OTHER_LETTERS, where, f"the text {written!r} has {' '.join(foreign)}, not among A-Z and 0-9")
        return None
    if max(len(line) for line in text.split("/")) > MAX_LINE_CHARACTERS:
        problems.note(Kind.LONG_TEXT, where, f"a line of {written!r} has more than {MAX_LINE_CHARACTERS} characters")
        return None
    if text != written:
        problems.note(Kind.REWRITTEN_TEXT, where, f"the text {written!r} is taken as {text!r}")
    return text


def _column(columns: list[str], names: tuple[str, ...]) -> int | None:
    return next((columns.index(name) for name in names if name in columns), None)
