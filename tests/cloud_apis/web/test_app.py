from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from cloud_apis.errors import StartError
from cloud_apis.session import Model
from cloud_apis.web.app import create_app
from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.cloud_apis.serving import running, tiny_settings

PICTURE = grey_jpeg(scene())
JPEG = {"content-type": "image/jpeg"}
KEY = "correct horse"


def test_the_server_lives_and_describes_its_models(url: str) -> None:
    assert requests.get(f"{url}/v2/health/live", timeout=30).json() == {"live": True}
    assert requests.get(f"{url}/v2/health/ready", timeout=30).json() == {"ready": True}
    assert requests.get(f"{url}/v2", timeout=30).json()["name"] == "cloud-apis"
    model = requests.get(f"{url}/v2/models/yolov3", timeout=30).json()
    assert model["name"] == "yolov3"
    assert model["versions"] == ["0-test"]
    assert model["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 1, -1, -1]}]
    assert [o["name"] for o in model["outputs"]] == ["p8", "p16", "p32"]
    for name in ("yolov3", "craft", "crnn"):
        assert requests.get(f"{url}/v2/models/{name}/ready", timeout=30).json() == {"ready": True}


def figure(url: str, line: str) -> float:
    text = requests.get(f"{url}/metrics", timeout=30).text
    return next((float(row.split()[-1]) for row in text.splitlines() if row.startswith(line)), 0.0)


def test_requests_show_up_in_the_metrics(models: Path) -> None:
    with running(create_app(tiny_settings(models))) as url:
        for body in (PICTURE, PICTURE, b"text"):
            requests.post(f"{url}/yolov3", data=body, headers=JPEG, timeout=30)
        assert figure(url, 'cloud_apis_requests_total{api="yolov3",status="200"}') == 2
        assert figure(url, 'cloud_apis_requests_total{api="yolov3",status="400"}') == 1
        assert figure(url, 'cloud_apis_request_seconds_count{api="yolov3"}') == 3
        assert figure(url, 'cloud_apis_in_flight{api="yolov3"}') == 0
        assert figure(url, 'cloud_apis_queue_depth{api="yolov3"}') == 0


def test_an_answer_states_the_servers_own_time_without_the_upload(url: str) -> None:
    wait = threading.Event()

    def dripping() -> Iterator[bytes]:
        yield PICTURE[:100]
        wait.wait(0.5)
        yield PICTURE[100:]

    answer = requests.post(f"{url}/yolov3", data=dripping(), headers=JPEG, timeout=30)
    name, _, took_ms = answer.headers["Server-Timing"].partition(";dur=")
    assert name == "app"
    assert 0.0 < float(took_ms) / 1000 <= answer.elapsed.total_seconds() - 0.5


class Held:
    """Holds inference from inside until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered = threading.Semaphore(0)
        self.go = threading.Event()
        run = Model.run

        def held(model: Model, image: Any) -> Any:
            self.entered.release()
            assert self.go.wait(30)
            return run(model, image)

        monkeypatch.setattr(Model, "run", held)


def test_a_full_queue_is_told_and_recovers(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(tiny_settings(models, yolov3__workers=1, yolov3__queue=2))
    held = Held(monkeypatch)
    with running(app) as url, ThreadPoolExecutor(8) as clients:

        def post() -> requests.Response:
            return requests.post(f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30)

        first = clients.submit(post)
        assert held.entered.acquire(timeout=30)
        others = [clients.submit(post) for _ in range(6)]
        # One is worked on and two wait: of the six, four are refused while nothing moves.
        refused: list[requests.Response] = []
        while len(refused) < 4:
            done = [o for o in others if o.done()]
            refused = [o.result() for o in done]
        assert figure(url, 'cloud_apis_queue_depth{api="yolov3"}') == 2
        held.go.set()
        answers = [first.result(), *(o.result() for o in others)]
        assert sorted(a.status_code for a in answers) == [200] * 3 + [503] * 4
        for answer in refused:
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["error"]["code"] == "busy"
        assert figure(url, 'cloud_apis_rejected_total{api="yolov3"}') == 4
        assert post().status_code == 200


def test_the_server_answers_while_a_model_works(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(tiny_settings(models))
    held = Held(monkeypatch)
    with running(app) as url, ThreadPoolExecutor(1) as clients:
        working = clients.submit(requests.post, f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30)
        assert held.entered.acquire(timeout=30)
        assert requests.get(f"{url}/v2/health/live", timeout=30).ok
        assert figure(url, 'cloud_apis_working{api="yolov3"}') == 1
        held.go.set()
        assert working.result().ok


def test_a_fault_of_the_server_is_told_without_details(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(tiny_settings(models))

    def broken(model: Model, image: Any) -> Any:
        raise RuntimeError("secret detail")

    with running(app) as url:
        with monkeypatch.context() as patch:
            patch.setattr(Model, "run", broken)
            answer = requests.post(f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30)
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal"
        assert "secret" not in answer.text
        assert requests.post(f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30).ok


@pytest.fixture(scope="module")
def guarded(models: Path) -> Iterator[str]:
    with running(create_app(tiny_settings(models), api_key=KEY)) as address:
        yield address


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", KEY[:-1], KEY.upper(), "schlüssel"])
def test_without_the_right_key_nothing_is_predicted_or_told(guarded: str, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key.encode()}
    for path in ("yolov3", "crnn", "license-plate-reader"):
        answer = requests.post(f"{guarded}/{path}", data=PICTURE, headers={**JPEG, **headers}, timeout=30)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthorised"
    for path in ("metrics", "v2/models/yolov3", "v2/models/nothing"):
        assert requests.get(f"{guarded}/{path}", headers=headers, timeout=30).status_code == 401


def test_the_right_key_opens_and_health_is_open_to_all(guarded: str) -> None:
    headers = {"X-API-Key": KEY}
    assert requests.post(f"{guarded}/yolov3", data=PICTURE, headers={**JPEG, **headers}, timeout=30).ok
    for path in ("metrics", "v2/models/yolov3"):
        assert requests.get(f"{guarded}/{path}", headers=headers, timeout=30).ok
    for path in ("v2/health/live", "v2/health/ready", "docs", "openapi.json"):
        assert requests.get(f"{guarded}/{path}", timeout=30).ok


def test_missing_models_are_told_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="'yolov3' is missing"):
        create_app(tiny_settings(tmp_path))


def test_the_application_needs_no_server_of_its_own(models: Path) -> None:
    """Any ASGI server may host it: here it is called by hand."""
    app = create_app(tiny_settings(models))
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": PICTURE, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/yolov3",
        "raw_path": b"/yolov3",
        "query_string": b"",
        "headers": [(b"content-type", b"image/jpeg")],
        "scheme": "http",
        "server": ("x", 80),
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 200
    assert sent[1]["body"].startswith(b'{"boxes":[[')
