"""The cheapest pairing of two small groups (Kuhn and Munkres, as the shortest augmenting paths find it)."""

from __future__ import annotations

from collections.abc import Mapping

_UNPAIRED = 1e3  # dearer than any real pair: as many as possible are paired
_IMPOSSIBLE = 1e6


def cheapest_pairs(rows: int, columns: int, costs: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """For each paired row its column. Pairs without a cost are impossible; costs lie well within ±1000.

    As many pairs as possible are made, and of those pairings the one with the least sum is taken.
    """
    if not costs:
        return {}
    # Each row has a column of its own for remaining alone.
    width = columns + rows

    def cost(row: int, column: int) -> float:
        if column >= columns:
            return _UNPAIRED if column - columns == row else _IMPOSSIBLE
        return costs.get((row, column), _IMPOSSIBLE)

    of_row, of_column = [0.0] * (rows + 1), [0.0] * (width + 1)
    owner = [0] * (width + 1)  # rows from 1, 0 for none
    for row in range(1, rows + 1):
        owner[0] = row
        column = 0
        least = [float("inf")] * (width + 1)
        came_from = [0] * (width + 1)
        done = [False] * (width + 1)
        while owner[column]:
            done[column] = True
            current, step, following = owner[column], float("inf"), 0
            for other in range(1, width + 1):
                if done[other]:
                    continue
                reduced = cost(current - 1, other - 1) - of_row[current] - of_column[other]
                if reduced < least[other]:
                    least[other], came_from[other] = reduced, column
                if least[other] < step:
                    step, following = least[other], other
            for other in range(width + 1):
                if done[other]:
                    of_row[owner[other]] += step
                    of_column[other] -= step
                else:
                    least[other] -= step
            column = following
        while column:
            owner[column] = owner[came_from[column]]
            column = came_from[column]
    return {owner[c] - 1: c - 1 for c in range(1, columns + 1) if owner[c]}
