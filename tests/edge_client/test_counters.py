from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from edge_client.ages import AgeHistogram
from edge_client.counters import Counters
from edge_client.types import Outcome, Summary


def balanced(summary: Summary) -> bool:
    shown, dropped = sum(summary.shown.values()), sum(summary.dropped.values())
    return summary.captured == shown + dropped + summary.in_flight


def test_summary_has_the_promised_form() -> None:
    counters = Counters(("yolov3", "crnn"))
    number = counters.captured()
    counters.sent("yolov3")
    counters.failed("yolov3")
    counters.shown(number, Outcome.ANNOTATED, 0.25)
    counters.captured()
    counters.dropped("display_queue_full")
    counters.captured()
    counters.reads(3)
    summary = counters.summary().to_json()
    assert set(summary.pop("frame_age_s")) == {"p50", "p99"}  # type: ignore[call-overload]
    assert summary == {
        "captured": 3,
        "shown": {"annotated": 1, "carried": 0, "plain": 0},
        "dropped": {"display_queue_full": 1},
        "in_flight": 1,
        "out_of_order": 0,
        "requests": {"yolov3": {"sent": 1, "failed": 1}, "crnn": {"sent": 0, "failed": 0}},
        "reads": 3,
        "uplink": {},
        "spool": {},
        "left_plates": {},
        "vehicles": {},
    }


def test_counts_what_is_out_of_order() -> None:
    counters = Counters(())
    for _ in range(3):
        counters.captured()
    for number in (0, 2, 1):
        counters.shown(number, Outcome.PLAIN, 0.1)
    assert counters.summary().out_of_order == 1


def test_is_balanced_at_every_moment_seen_from_another_thread() -> None:
    counters = Counters(())
    done = threading.Event()
    seen: list[bool] = []

    def watch() -> None:
        while not done.is_set():
            seen.append(balanced(counters.summary()))

    watcher = threading.Thread(target=watch)
    watcher.start()

    def work() -> None:
        for _ in range(300):
            number = counters.captured()
            if number % 3:
                counters.shown(number, Outcome.CARRIED, 0.01)
            else:
                counters.dropped("shutdown")

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    done.set()
    watcher.join()
    assert all(seen)
    summary = counters.summary()
    assert (summary.captured, summary.in_flight) == (1200, 0)


@given(st.lists(st.floats(0.0002, 100.0), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_quantiles_are_within_one_percent(ages_s: list[float], q: float) -> None:
    histogram = AgeHistogram()
    for age_s in ages_s:
        histogram.add(age_s)
    exact = sorted(ages_s)[max(-(-len(ages_s) * q // 1) - 1, 0).__int__()] if q < 1 else max(ages_s)
    assert exact * 0.999 <= histogram.quantile(q) <= exact * 1.0101


def test_quantile_of_nothing_is_zero() -> None:
    assert AgeHistogram().quantile(0.99) == 0.0
