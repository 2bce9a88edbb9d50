"""How alike two plate texts are."""

from __future__ import annotations

_CONFUSABLE = (
    "0ODQ",
    "1IL",
    "2Z",
    "5S",
    "6G",
    "8B",
    "UV",
    "VY",
    "4A",
    "7T",
    "MN",
    "CG",
    "EF",
    "PR",
    "KX",
    "MW",
)
_THIN = frozenset("1I")  # easily overlooked, above all beside the rim of a plate
_HALF = 0.5


def confusable(a: str, b: str) -> bool:
    """Whether two different characters are easily taken for each other on a plate."""
    return any(a in group and b in group for group in _CONFUSABLE)


def distance(a: str, b: str) -> float:
    """Edit distance in characters, where easy mistakes cost one half: a similar or an overlooked thin one."""
    row = [0.0]
    for cb in b:
        row.append(row[-1] + _lack(cb))
    for ca in a:
        diagonal = row[0]
        row[0] += _lack(ca)
        for j, cb in enumerate(b, 1):
            change = _change(ca, cb)
            diagonal, row[j] = row[j], min(diagonal + change, row[j] + _lack(ca), row[j - 1] + _lack(cb))
    return row[-1]


def align(reference: str, other: str) -> list[int | None]:
    """For each character of ``other`` its place in ``reference``, None where it has none (least edits)."""
    n, m = len(reference), len(other)
    cost = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n + 1):
        cost[i][0] = float(i)
    for j in range(m + 1):
        cost[0][j] = float(j)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            change = _change(reference[i - 1], other[j - 1])
            cost[i][j] = min(cost[i - 1][j - 1] + change, cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    places: list[int | None] = [None] * m
    i, j = n, m
    while i > 0 and j > 0:
        if cost[i][j] == cost[i - 1][j - 1] + _change(reference[i - 1], other[j - 1]):
            i, j = i - 1, j - 1
            places[j] = i
        elif cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return places


def _lack(character: str) -> float:
    return _HALF if character in _THIN else 1.0


def _change(a: str, b: str) -> float:
    return 0.0 if a == b else _HALF if confusable(a, b) else 1.0


def same_plate(a: str, b: str, *, sure: bool) -> bool:
    """Whether two texts, read in a short time, are of one plate.

    ``sure`` tells that both were read with confidence: then they may differ only in one easily confused
    character; else in one character, or one may be a part of the other (a plate at the picture's edge).
    """
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    if len(shorter) >= 4 and shorter in longer:
        return True
    return distance(a, b) <= (_HALF if sure else 1.0) and len(longer) >= 4
