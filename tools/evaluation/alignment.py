"""Which characters of a read are right, where read and truth differ in length: alignment by edit distance."""

from __future__ import annotations


def distances(a: str, b: str) -> list[list[int]]:
    """Levenshtein's table: at [i][j] the fewest insertions, deletions and replacements from a[:i] to b[:j]."""
    table = [list(range(len(b) + 1))]
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            row.append(min(table[i - 1][j] + 1, row[j - 1] + 1, table[i - 1][j - 1] + (left != right)))
        table.append(row)
    return table


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance: fewest insertions, deletions and replacements from a to b."""
    return distances(a, b)[-1][-1]


def right_characters(read: str, truth: str) -> tuple[bool, ...]:
    """For each character read whether it stands for the same character of the truth, in one shortest alignment.

    One that was read beyond the truth, or for another, is wrong; one that was left out has no entry.
    """
    table = distances(read, truth)
    right = [False] * len(read)
    i, j = len(read), len(truth)
    while i and j:
        if table[i][j] == table[i - 1][j - 1] + (read[i - 1] != truth[j - 1]):
            i, j = i - 1, j - 1
            right[i] = read[i] == truth[j]
        elif table[i][j] == table[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return tuple(right)
