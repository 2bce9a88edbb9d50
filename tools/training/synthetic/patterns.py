"""From a layout's pattern to the characters and ornaments of one plate (grammar: see layouts.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DIGITS = "0123456789"
VOWELS = "AEIOUIOY"
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
ORNAMENTS = {
    " ": "gap",
    "_": "narrow",
    "-": "hyphen",
    ".": "dot",
    ":": "dots",
    "o": "seal",
    "e": "emblem",
    "f": "foreign",
    "|": "bar",
}


@dataclass(frozen=True)
class Token:
    """One piece of a line: a character ("char", its value) or an ornament (its kind).

    ``small``: of reduced size; ``stack``: "upper" or "lower" of two that stand above one another.
    """

    kind: str
    value: str = ""
    small: bool = False
    stack: str = ""


def fill(pattern: str, letters: str, rng: np.random.Generator) -> tuple[tuple[Token, ...], ...]:
    """Draw one plate's tokens, line by line; raises ValueError on a sign that the grammar does not know."""
    lines: list[list[Token]] = [[]]
    small = False
    position = 0
    while position < len(pattern):
        sign = pattern[position]
        position += 1
        if sign == "[":
            end = pattern.index("]", position)
            alternatives = pattern[position:end].split("|")
            position = end + 1
            lines[-1] += [Token("char", c, small) for c in alternatives[rng.integers(len(alternatives))]]
        elif sign == "L":
            lines[-1].append(Token("char", letters[rng.integers(len(letters))], small))
        elif sign == "D":
            lines[-1].append(Token("char", DIGITS[rng.integers(10)], small))
        elif sign == "9":
            lines[-1].append(Token("char", DIGITS[rng.integers(1, 10)], small))
        elif sign in "cv":
            pool = VOWELS if sign == "v" else CONSONANTS
            lines[-1].append(Token("char", pool[rng.integers(len(pool))], small))
        elif sign == "X":
            pool = DIGITS if rng.random() < 0.45 else letters
            lines[-1].append(Token("char", pool[rng.integers(len(pool))], small))
        elif sign in "()":
            small = sign == "("
        elif sign == "{":
            end = pattern.index("}", position)
            (inner,) = fill(pattern[position:end], letters, rng)
            position = end + 1
            lines[-1] += [Token("char", token.value, stack=("upper", "lower")[i % 2]) for i, token in enumerate(inner)]
        elif sign == "/":
            lines.append([])
        elif sign in ORNAMENTS:
            lines[-1].append(Token(ORNAMENTS[sign], "", small))
        elif sign.isupper() and sign.isascii():
            lines[-1].append(Token("char", sign, small))
        else:
            raise ValueError(f"pattern {pattern!r}: {sign!r} is not part of the grammar")
    return tuple(tuple(line) for line in lines)
