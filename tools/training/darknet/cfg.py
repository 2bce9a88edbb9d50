"""The text of a .cfg: sections in brackets, ``key=value`` lines below each, ``#`` and ``;`` begin comments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.training.darknet.errors import CfgError

MAX_BYTES = 1_000_000
MAX_SECTIONS = 1_000
MAX_VALUES = 256


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its name in small letters, its options as text, where it stands (file and line)."""

    name: str
    options: Mapping[str, str]
    where: str

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """The option as a whole number from ``low`` to ``high``; raises CfgError for anything else."""
        text = self.options.get(key)
        try:
            value = default if text is None else int(text)
        except ValueError as error:
            raise CfgError(f"{self.where}: {key} of [{self.name}] is no whole number: {_short(text)}") from error
        if not low <= value <= high:
            raise CfgError(f"{self.where}: {key} of [{self.name}] is {_short(value)}, not {low} to {high}")
        return value

    def number(self, key: str, default: float) -> float:
        """The option as a number; raises CfgError for anything that is none."""
        numbers = self.numbers(key, (default,))
        if len(numbers) != 1:
            raise CfgError(f"{self.where}: {key} of [{self.name}] is to be one number")
        return numbers[0]

    def numbers(self, key: str, default: tuple[float, ...] = ()) -> tuple[float, ...]:
        """The option's numbers, divided by commas; raises CfgError for anything else."""
        text = self.options.get(key)
        if text is None:
            return default
        words = [word for word in text.split(",") if word.strip()]
        try:
            values = tuple(float(word) for word in words[: MAX_VALUES + 1])
        except ValueError as error:
            raise CfgError(f"{self.where}: {key} of [{self.name}] holds something else: {_short(text)}") from error
        if len(values) > MAX_VALUES or not all(math.isfinite(value) for value in values):
            raise CfgError(f"{self.where}: {key} of [{self.name}] is to be at most {MAX_VALUES} finite numbers")
        return values

    def integers(self, key: str) -> tuple[int, ...]:
        """The option's whole numbers, divided by commas; raises CfgError for anything else."""
        values = self.numbers(key)
        if any(value != int(value) for value in values):
            raise CfgError(f"{self.where}: {key} of [{self.name}] is to be whole numbers")
        return tuple(int(value) for value in values)


def read_cfg(file: Path) -> list[Section]:
    """The sections of a file in their order; raises CfgError, also where it is too large to be a .cfg."""
    try:
        size = file.stat().st_size
        content = file.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise CfgError(f"{file} cannot be read: {error.strerror}") from error
    if size > MAX_BYTES:
        raise CfgError(f"{file} has {size} bytes, more than a .cfg has: are the two files swapped?")
    return parse_cfg(content.decode("utf-8", errors="replace"), str(file))


def parse_cfg(text: str, name: str = "cfg") -> list[Section]:
    """The sections of a .cfg's text; ``name`` stands before the line in messages."""
    sections: list[tuple[str, dict[str, str], str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].split(";", 1)[0].strip()
        if not content:
            continue
        where = f"{name}:{number}"
        if content.startswith("["):
            if not content.endswith("]"):
                raise CfgError(f"{where}: a section's bracket is not closed: {_short(content)}")
            if len(sections) >= MAX_SECTIONS:
                raise CfgError(f"{where}: more than {MAX_SECTIONS} sections")
            sections.append((content[1:-1].strip().lower(), {}, where))
            continue
        key, equals, value = content.partition("=")
        if not equals:
            raise CfgError(f"{where}: neither a section nor key=value: {_short(content)}")
        if not sections:
            raise CfgError(f"{where}: an option before the first section")
        sections[-1][1][key.strip()] = value.strip()
    if not sections or sections[0][0] not in ("net", "network"):
        raise CfgError(f"{name}: the first section is not [net]: this is no Darknet .cfg")
    return [Section(*section) for section in sections]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
