"""Requests as each node's HAProxy counted them, by API: totals, and what happened between two of them. Pure.

Every node of a Ray cluster exports figures for Prometheus. Of those, `ray_serve_http_request_latency_ms` is a
histogram of whole requests by application, method and status, and `ray_serve_replica_processing_queries` says how many
requests each replica has in hand. Predictions are POSTs; everything else is somebody looking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_REQUESTS = "ray_serve_http_request_latency_ms"
_IN_HAND = ("ray_serve_replica_processing_queries", "ray_serve_deployment_queued_queries")
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one API since its nodes started: answers by status, how many took at most so many ms, and requests in hand."""

    answers: Mapping[str, float] = field(default_factory=dict)
    at_most_ms: Mapping[float, float] = field(default_factory=dict)
    in_hand: float = 0.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of one API over a time: answers a second, failed ones among them (5xx), times in ms, requests in hand at the end.

    Times are None when there was no request. ``refused_hz`` are the 503 of a full queue, which are no failures.
    """

    requests_hz: float
    errors_hz: float
    refused_hz: float
    p50_ms: float | None
    p99_ms: float | None
    in_hand: int


def totals(pages: Iterable[str]) -> dict[str, Totals]:
    """The totals of each application over the pages of all nodes, in Prometheus' text format."""
    answers: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    at_most: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    in_hand: dict[str, float] = defaultdict(float)
    for page in pages:
        for sample in _samples(page):
            labels = sample.labels
            api = labels.get("application", "")
            if sample.name in _IN_HAND:
                in_hand[api] += sample.value
            elif labels.get("method") != "POST":
                continue
            elif sample.name == f"{_REQUESTS}_count":
                answers[api][labels.get("status_code", "")] += sample.value
            elif sample.name == f"{_REQUESTS}_bucket":
                at_most[api][float(labels["le"])] += sample.value
    names = answers.keys() | in_hand.keys()
    return {name: Totals(dict(answers[name]), dict(at_most[name]), in_hand[name]) for name in names}


def between(before: Totals, after: Totals, seconds: float) -> Traffic:
    """What happened between two totals; a node that started again in between counts from then."""
    counted = {
        status: max(0.0, count - before.answers.get(status, 0.0)) if count >= before.answers.get(status, 0.0) else count
        for status, count in after.answers.items()
    }
    buckets = {bound: max(0.0, count - before.at_most_ms.get(bound, 0.0)) for bound, count in after.at_most_ms.items()}
    refused = counted.get("503", 0.0)
    failed = sum(count for status, count in counted.items() if _is_failure(status))
    return Traffic(
        requests_hz=sum(counted.values()) / seconds,
        errors_hz=(failed - refused) / seconds,
        refused_hz=refused / seconds,
        p50_ms=quantile(buckets, 0.5),
        p99_ms=quantile(buckets, 0.99),
        in_hand=round(after.in_hand),
    )


def quantile(at_most: Mapping[float, float], share: float) -> float | None:
    """The value below which a share of a cumulative histogram lies, linear within a bucket (as Prometheus has it).

    None for an empty histogram; the highest finite bound for what lies beyond it.
    """
    bounds = sorted(at_most)
    total = at_most[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    rank = share * total * (1 - 1e-9)  # a rank that is whole must not be rounded up
    lower, below = 0.0, 0.0
    for bound in bounds:
        count = at_most[bound]
        if count >= rank:
            if bound == float("inf"):
                return lower
            inside = count - below
            return lower + (bound - lower) * ((rank - below) / inside if inside > 0 else 1.0)
        lower, below = bound, count
    return lower


def _samples(page: str) -> list[Sample]:
    """The samples of one page that matter here; none of a page that cannot be read."""
    wanted = "\n".join(line for line in page.splitlines() if line.startswith((_REQUESTS, *_IN_HAND)))
    try:
        return [sample for family in text_string_to_metric_families(f"{wanted}\n") for sample in family.samples]
    except ValueError:
        return []


def _is_failure(status: str) -> bool:
    return status.isdigit() and int(status) >= _SERVER_ERROR
