"""Comparing the texts of plates: without case and separators, by patterns, and by likeness."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

from edge_client.tracking.text import distance

_ALIKE: Final = str.maketrans({"O": "0", "I": "1"})


def plain_plate(text: str) -> str:
    """Capital letters and digits alone: `b-101 abc` and `B101ABC` are one plate."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())


def plain_pattern(pattern: str) -> str:
    """The same of a pattern with `?` (one character) and `*` (any number), for SQLite's GLOB."""
    normal = unicodedata.normalize("NFKC", pattern).upper()
    return "".join(c for c in normal if c.isalnum() or c in "?*")


def is_pattern(text: str) -> bool:
    """Whether a text has wildcards."""
    return "?" in text or "*" in text


def alike(text: str) -> str:
    """The bare plate with O as 0 and I as 1."""
    return plain_plate(text).translate(_ALIKE)


def edits(a: str, b: str) -> int:
    """Levenshtein distance of two plates in characters, where O and 0, I and 1 are alike."""
    return _levenshtein(alike(a), alike(b))


def within_edits(plate: str, distance: int) -> Callable[[str], bool]:
    """Tells of bare plates whether they are within so many `edits` of one; quickly of most that are not."""
    wanted = alike(plate)
    characters = frozenset(wanted)

    def is_near(text: str) -> bool:
        other = text.translate(_ALIKE)
        others = frozenset(other)
        if max(abs(len(wanted) - len(other)), len(characters - others), len(others - characters)) > distance:
            return False  # an edit changes the length, and what is in it, by one at most
        return _levenshtein(wanted, other) <= distance

    return is_near


def _levenshtein(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, cb in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (ca != cb), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def confusion(a: str, b: str) -> float:
    """As `edits`, but characters that are easily taken for each other, and a thin one overlooked, cost one half."""
    return distance(alike(a), alike(b))
