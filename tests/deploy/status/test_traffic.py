"""Traffic out of the figures that the nodes export."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.status.traffic import Totals, between, quantile, totals

INF = float("inf")


def page(api: str, status: str, count: int, method: str = "POST", bounds: tuple[float, ...] = (10, 50, INF)) -> str:
    labels = f'application="{api}",method="{method}",status_code="{status}"'
    name = "ray_serve_http_request_latency_ms"
    lines = [f"# HELP {name} x", f"# TYPE {name} histogram"]
    lines += [f'{name}_bucket{{{labels},le="{"+Inf" if b == INF else b}"}} {count}' for b in bounds]
    lines += [f"{name}_count{{{labels}}} {count}", f"{name}_sum{{{labels}}} 1.0", "ray_node_mem_used 3"]
    lines.append(f'ray_serve_replica_processing_queries{{application="{api}",replica="r"}} 2.0')
    return "\n".join(lines)


def test_the_pages_of_all_nodes_are_added_up() -> None:
    found = totals(
        [
            page("yolov3", "200", 7),
            page("yolov3", "503", 2),
            page("crnn", "200", 1),
            "ray_serve_http_request_latency_ms_count{",
        ]
    )
    assert found["yolov3"].answers == {"200": 7, "503": 2}
    assert found["yolov3"].at_most_ms == {10: 9, 50: 9, INF: 9}
    assert found["yolov3"].in_hand == 4
    assert found["crnn"].answers == {"200": 1}


def test_only_predictions_count() -> None:
    found = totals([page("yolov3", "200", 7, "GET")])
    assert found["yolov3"].answers == {} and found["yolov3"].in_hand == 2


def test_rates_between_two_moments() -> None:
    before = Totals({"200": 100, "503": 1}, {10: 100, 50: 101, INF: 101})
    after = Totals({"200": 190, "503": 6, "502": 5, "401": 4}, {10: 150, 50: 205, INF: 205}, 3)
    found = between(before, after, 10)
    assert found.requests_hz == pytest.approx(10.4)
    assert found.errors_hz == pytest.approx(0.5)
    assert found.refused_hz == pytest.approx(0.5)
    assert found.in_hand == 3
    assert found.p50_ms == pytest.approx(10 + 40 * 2 / 54)


def test_nothing_happened() -> None:
    same = Totals({"200": 5}, {10: 5, INF: 5})
    found = between(same, same, 10)
    assert found.requests_hz == 0 and found.p50_ms is None and found.p99_ms is None


def test_a_node_that_started_again_counts_from_then() -> None:
    found = between(Totals({"200": 100}), Totals({"200": 20}), 10)
    assert found.requests_hz == 2


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50), st.data())
def test_a_quantile_is_in_the_bucket_of_the_value_that_it_is_of(values: list[float], data: st.DataObject) -> None:
    bounds = [1.0, 10.0, 100.0, 1000.0, INF]
    rank = data.draw(st.integers(1, len(values)))
    found = quantile({b: sum(value <= b for value in values) for b in bounds}, rank / len(values))
    exact = sorted(values)[rank - 1]
    bucket = next(i for i, bound in enumerate(bounds) if exact <= bound)
    assert found is not None and (0.0, *bounds)[bucket] <= found <= bounds[bucket]


def test_beyond_the_last_bound_is_the_last_bound() -> None:
    assert quantile({10.0: 0, INF: 4}, 0.5) == 10.0
    assert quantile({}, 0.5) is None and quantile({10.0: 0, INF: 0}, 0.5) is None
