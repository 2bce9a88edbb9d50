from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from cloud_apis.metrics import Metrics


def figures(metrics: Metrics) -> dict[tuple[str, str, str], float]:
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found[sample.name, sample.labels.get("api", ""), sample.labels.get("status", "")] = sample.value
    return found


def test_requests_are_counted_by_api_and_status() -> None:
    metrics = Metrics()
    metrics.watch("yolov3", lambda: 3, lambda: 2)
    for status in (200, 200, 503):
        metrics.begin("yolov3")
        metrics.end("yolov3", status, 0.02)
    metrics.begin("yolov3")
    seen = figures(metrics)
    assert seen["cloud_apis_requests_total", "yolov3", "200"] == 2
    assert seen["cloud_apis_requests_total", "yolov3", "503"] == 1
    assert seen["cloud_apis_rejected_total", "yolov3", ""] == 1
    assert seen["cloud_apis_in_flight", "yolov3", ""] == 1
    assert seen["cloud_apis_queue_depth", "yolov3", ""] == 3
    assert seen["cloud_apis_working", "yolov3", ""] == 2
    assert seen["cloud_apis_request_seconds_count", "yolov3", ""] == 3


def test_two_applications_do_not_share_their_counters() -> None:
    one, other = Metrics(), Metrics()
    one.begin("crnn")
    one.end("crnn", 200, 0.1)
    assert ("cloud_apis_requests_total", "crnn", "200") not in figures(other)
