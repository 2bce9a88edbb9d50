"""The vehicle report as one API among those that a drive asks: it must never disturb the others."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cloud_apis.contract.vehicles import REPORT_PATH
from cloud_apis.names import Api
from cloud_apis.web.app import create_app
from edge_client.car_pictures import CarPicture, car_of
from edge_client.config import ApiSettings, EdgeSettings, PoolSettings
from edge_client.counters import Counters
from edge_client.errors import ApiError, ApiGarbageError, ApiNotOfferedError, ApiPausedError, ApiRefusedError
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import APIS, REPORT, PlateApis
from edge_client.requests.embedded import EmbeddedApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.transport import Transport
from tests.cloud_apis import tiny_models
from tests.cloud_apis.pictures import bgr_jpeg, scene
from tests.cloud_apis.serving import running, tiny_settings
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tests.edge_client.reports import described, report

SETTINGS = PoolSettings(failures_to_pause=2, pause_s=60.0, retry_jitter_s=0.01, read_timeout_s=20.0)
PATH = f"{REPORT_PATH}?top_k=1"
CAR = described((1.0, 2.0, 30.0, 40.0))


@pytest.fixture
def fake() -> Iterator[FakeApis]:
    with fake_apis(FakeApis(report=lambda _body: report(CAR))) as running:
        yield running


def plate_apis(fake: FakeApis, adaptation: Adaptation | None = None, *, patient: bool = False) -> PlateApis:
    endpoints = FixedEndpoints(fake.url, fake.crnn)
    counters = Counters((*APIS, REPORT))
    transport = Transport(SETTINGS)
    return PlateApis(endpoints, transport, SETTINGS, counters, patient=patient, adaptation=adaptation, vehicles=True)


@pytest.mark.parametrize(
    ("detector", "own", "url"),
    [
        ("http://a:1", None, "http://a:1/vehicle-report"),
        ("http://a:1/", None, "http://a:1/vehicle-report"),
        ("http://a:1/yolov3", None, "http://a:1/vehicle-report"),
        ("https://a/fleet/yolov3/", None, "https://a/fleet/vehicle-report"),
        ("http://a:1/yolov3", "http://b:2", "http://b:2/vehicle-report"),
        ("http://a:1/yolov3", "http://b:2/cars", "http://b:2/cars"),
    ],
)
def test_it_is_beside_the_detector_unless_told_otherwise(detector: str, own: str | None, url: str) -> None:
    assert FixedEndpoints(detector, "http://a:1/crnn", own).report_url() == url


def test_cars_are_described(fake: FakeApis) -> None:
    apis = plate_apis(fake)
    assert apis.states() == {"yolov3": "ok", "crnn": "ok"}  # of what was not asked nothing is known
    (car,) = apis.describe(b"jpeg")
    assert (car.box, car.attributes.make) == (CAR.box, "suzuki")
    assert apis.states()[REPORT] == "ok"
    assert fake.bodies[-1] == b"jpeg"


def test_a_server_without_it_is_asked_once(fake: FakeApis, caplog: pytest.LogCaptureFixture) -> None:
    fake.report = None
    apis = plate_apis(fake)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert apis.describes() is (fake.requests == {})
            with pytest.raises(ApiNotOfferedError):
                apis.describe(b"jpeg")
    assert fake.requests == {PATH: 1}
    assert len([r for r in caplog.records if "do not offer" in r.message]) == 1
    assert apis.states()[REPORT] == "not offered"
    assert apis._counters.summary().requests[REPORT] == {"sent": 1, "failed": 0}


@pytest.mark.parametrize("status", [500, 503])
def test_its_failures_say_nothing_of_network_and_plates(fake: FakeApis, status: int) -> None:
    adaptation = Adaptation(EdgeSettings(), active=True)
    apis = plate_apis(fake, adaptation, patient=True)  # patience is for plates
    apis.detect(b"jpeg")
    before = adaptation.targets()
    fake.instead = lambda path, _n: Answer(status) if path == PATH else None
    for _ in range(2):
        with pytest.raises(ApiError):
            apis.describe(b"jpeg")
    with pytest.raises(ApiPausedError):
        apis.describe(b"jpeg")
    assert apis.states()[REPORT].startswith("down")
    assert apis.reasons() == []
    assert not any(apis.lost(api) for api in APIS)
    assert adaptation.targets() == before
    assert adaptation.summary()["decreases"] == 0
    assert apis.detect(b"jpeg")


def test_other_refusals_and_garbage_are_told_apart(fake: FakeApis) -> None:
    apis = plate_apis(fake)
    fake.instead = lambda path, _n: Answer(422) if path == PATH else None
    with pytest.raises(ApiRefusedError):
        apis.describe(b"jpeg")
    fake.instead = lambda _path, _n: None
    fake.report = lambda _body: {"vehicles": [{"box": [1, 2, 3]}]}
    with pytest.raises(ApiGarbageError):
        apis.describe(b"jpeg")
    assert apis.describes()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_all(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("offered", [True, False])
def test_the_real_server_answers_or_says_that_it_does_not_offer_it(tiny: Path, offered: bool) -> None:
    picture = cv2.cvtColor(scene(), cv2.COLOR_GRAY2BGR).astype(np.uint8)
    served = [Api.YOLOV3, Api.CRNN, *([Api.REPORT] if offered else [])]
    with running(create_app(tiny_settings(tiny), apis=served)) as url:
        settings, counters = PoolSettings(), Counters((*APIS, REPORT))
        apis = PlateApis(
            FixedEndpoints(url, url), Transport(settings), settings, counters, patient=False, vehicles=True
        )
        if offered:
            (car,) = apis.describe(bgr_jpeg(picture))
            assert car.box.xmin < 208 < car.box.xmax
            found = car_of(CarPicture(b"", 208.0, 101.0), [car], 0.3)
            assert found is not None
            assert (found.kind, found.colour) == ("car", "red")
        else:
            with pytest.raises(ApiNotOfferedError):
                apis.describe(bgr_jpeg(picture))
        assert apis.describes() is offered
        assert apis.detect(bgr_jpeg(picture))


CHILD = """
import sys
sys.exit("no model attributes") if "vehicle-report" in sys.argv else None
"""


def test_apis_that_cannot_start_with_the_vehicles_start_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    serve = (
        CHILD
        + """
import os, time
file = sys.argv[1]
open(file + ".new", "w").write("9")
os.replace(file + ".new", file)
time.sleep(60)
"""
    )

    def command(settings: ApiSettings, port_file: Path, *, vehicles: bool = False) -> list[str]:
        return [sys.executable, "-c", serve, str(port_file), *(["vehicle-report"] if vehicles else [])]

    monkeypatch.setattr("edge_client.requests.embedded.api_command", command)
    apis = EmbeddedApis(ApiSettings(embedded_log=tmp_path / "log"), vehicles=True)
    try:
        assert apis.start(threading.Event())
        assert apis.report_url() == "http://127.0.0.1:9/vehicle-report"
        assert "without the vehicles'" in caplog.text
        assert "no model attributes" in caplog.text
    finally:
        apis.close()
