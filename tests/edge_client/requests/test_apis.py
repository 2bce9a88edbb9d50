from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloud_apis.contract import yolov3_answer
from edge_client.config import PoolSettings
from edge_client.counters import Counters
from edge_client.errors import ApiError, ApiGarbageError, ApiPausedError, ApiRefusedError
from edge_client.requests.apis import APIS, PlateApis
from edge_client.requests.endpoints import FixedEndpoints, with_path
from edge_client.requests.transport import Transport
from tests.edge_client.fake_apis import BOX, Answer, FakeApis, fake_apis

OWN_ERROR = b'{"error": {"code": "internal", "message": "no memory"}}'
SETTINGS = PoolSettings(failures_to_pause=3, pause_s=0.05, retry_jitter_s=0.01, read_timeout_s=1.0)


@pytest.fixture
def fake() -> Iterator[FakeApis]:
    with fake_apis() as running:
        yield running


def plate_apis(fake: FakeApis, settings: PoolSettings = SETTINGS, *, patient: bool = False) -> PlateApis:
    endpoints = FixedEndpoints(fake.url, fake.crnn)
    return PlateApis(endpoints, Transport(settings), settings, Counters(APIS), patient=patient)


def requests_of(apis: PlateApis) -> dict[str, dict[str, int]]:
    return apis._counters.summary().requests


def test_detects_and_reads(fake: FakeApis) -> None:
    apis = plate_apis(fake)
    assert apis.detect(b"jpeg") == (BOX,)
    words = apis.read([b"one", b"two"])
    assert [w.text for crop in words for w in crop] == ["AB12CDE", "AB12CDE"]
    assert requests_of(apis) == {"yolov3": {"sent": 1, "failed": 0}, "crnn": {"sent": 1, "failed": 0}}
    assert apis.states() == {"yolov3": "ok", "crnn": "ok"}


def test_an_answer_that_breaks_the_contract_counts_as_failed(fake: FakeApis) -> None:
    apis = plate_apis(fake)
    fake.boxes = lambda _body: {"boxes": [[0, 0, 1, 1, float("nan"), [1.0]]]}
    with pytest.raises(ApiGarbageError):
        apis.detect(b"jpeg")
    fake.words = lambda _crops: {"license-plates": []}
    with pytest.raises(ApiGarbageError):
        apis.read([b"one"])
    assert requests_of(apis) == {"yolov3": {"sent": 1, "failed": 1}, "crnn": {"sent": 1, "failed": 1}}
    assert apis.states()["yolov3"].startswith("failing: breaks the contract")


def test_a_failing_api_is_left_alone_and_the_other_is_not(fake: FakeApis) -> None:
    apis = plate_apis(fake, SETTINGS.model_copy(update={"pause_s": 60.0}))
    fake.instead = lambda path, _number: Answer(500, OWN_ERROR) if path == "/yolov3" else None
    for _ in range(3):
        with pytest.raises(ApiRefusedError):
            apis.detect(b"jpeg")
    for _ in range(5):
        with pytest.raises(ApiPausedError):
            apis.detect(b"jpeg")
    assert fake.requests["/yolov3"] == 3
    assert apis.states()["yolov3"].startswith("down: ")
    assert apis.read([b"one"])


def test_a_patient_request_waits_until_the_api_is_back(fake: FakeApis) -> None:
    apis = plate_apis(fake, patient=True)
    fake.instead = lambda _path, number: Answer(503) if number < 6 else None
    assert apis.detect(b"jpeg") == (BOX,)
    assert requests_of(apis)["yolov3"] == {"sent": 7, "failed": 6}
    assert apis.states()["yolov3"] == "ok"


def test_patience_ends(fake: FakeApis) -> None:
    apis = plate_apis(fake, SETTINGS.model_copy(update={"outage_wait_s": 0.2}), patient=True)
    fake.drop = lambda _path, _number: True
    with pytest.raises(ApiError):
        apis.detect(b"jpeg")
    with pytest.raises(ApiError):
        apis.detect(b"jpeg")


def test_patience_ends_at_once_when_the_drive_does(fake: FakeApis) -> None:
    apis = plate_apis(fake, SETTINGS.model_copy(update={"outage_wait_s": 60.0}), patient=True)
    fake.instead = lambda _path, _number: Answer(503)
    apis.close()
    with pytest.raises(ApiError):
        apis.detect(b"jpeg")


def test_the_usual_path_is_added_to_a_server_alone() -> None:
    assert with_path("http://a:1", "/yolov3") == "http://a:1/yolov3"
    assert with_path("http://a:1/", "/yolov3") == "http://a:1/yolov3"
    assert with_path("https://a/v1/detect", "/yolov3") == "https://a/v1/detect"


def test_no_boxes_is_an_answer(fake: FakeApis) -> None:
    fake.boxes = lambda _body: yolov3_answer([])
    assert plate_apis(fake).detect(b"jpeg") == ()
