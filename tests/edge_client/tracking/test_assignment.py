from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_client.tracking.assignment import cheapest_pairs


def test_nothing_and_the_impossible() -> None:
    assert cheapest_pairs(0, 0, {}) == {}
    assert cheapest_pairs(3, 2, {}) == {}
    assert cheapest_pairs(2, 2, {(0, 1): 1.0}) == {0: 1}


def test_the_whole_counts_not_the_best_pair() -> None:
    costs = {(0, 0): 1.0, (0, 1): 1.1, (1, 0): 1.2}
    assert cheapest_pairs(2, 2, costs) == {0: 1, 1: 0}


COSTS = st.integers(0, 4).flatmap(
    lambda rows: st.integers(0, 4).flatmap(
        lambda columns: st.tuples(
            st.just(rows),
            st.just(columns),
            st.dictionaries(
                st.tuples(st.integers(0, max(rows - 1, 0)), st.integers(0, max(columns - 1, 0))), st.floats(-5, 20)
            )
            if rows and columns
            else st.just({}),
        )
    )
)


@given(COSTS)
def test_it_is_the_best_of_all_pairings(problem: tuple[int, int, dict[tuple[int, int], float]]) -> None:
    rows, columns, costs = problem
    pairs = cheapest_pairs(rows, columns, costs)
    assert len(set(pairs.values())) == len(pairs)
    assert all(pair in costs for pair in pairs.items())
    best = (0, 0.0)
    for chosen in itertools.product([None, *range(columns)], repeat=rows):
        used = [(r, c) for r, c in enumerate(chosen) if c is not None]
        if len({c for _, c in used}) == len(used) and all(pair in costs for pair in used):
            best = min(best, (-len(used), sum(costs[pair] for pair in used)))
    assert -best[0] == len(pairs)
    assert abs(best[1] - sum(costs[pair] for pair in pairs.items())) < 1e-6
