"""The closed loop against a server of the test."""

from __future__ import annotations

import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.cloud_apis.serving import running
from tools.cluster.bench import Figures, sample_picture
from tools.cluster.errors import LocalClusterError
from tools.cluster.load import Place, closed_loop

PICTURE = sample_picture()


async def yolov3(request: Request) -> Response:
    good = await request.body() == PICTURE and request.headers["x-api-key"] == "key"
    return Response("[]" if good else "no", 200 if good else 401)


app = Starlette(routes=[Route("/yolov3", yolov3, methods=["POST"])])


def test_answers_are_counted_and_timed() -> None:
    with running(app) as url:
        begun = time.monotonic()
        load = closed_loop(Place((f"{url}/yolov3",), "key"), PICTURE, clients=2, seconds=0.3)
        took_s = time.monotonic() - begun
    assert load.answers > 2 and 0 < load.p50_ms <= load.p99_ms < 1000 * took_s
    assert load.rate_hz == pytest.approx(load.answers / load.seconds)


def test_a_server_that_refuses_is_no_measurement() -> None:
    with running(app) as url, pytest.raises(LocalClusterError, match="401: no"):
        closed_loop(Place((f"{url}/yolov3",), "other"), PICTURE, clients=2, seconds=5)


def test_a_connection_that_the_server_ends_after_an_answer_is_no_failure() -> None:
    async def answer(request: Request) -> Response:
        await request.body()
        return Response("[]", headers={"Connection": "close"})

    with running(Starlette(routes=[Route("/yolov3", answer, methods=["POST"])])) as url:
        load = closed_loop(Place((f"{url}/yolov3",)), PICTURE, clients=2, seconds=0.3)
    assert load.answers > 2


def test_clients_are_divided_among_the_servers() -> None:
    asked = [0, 0]

    def server(number: int) -> Starlette:
        async def answer(request: Request) -> Response:
            await request.body()
            asked[number] += 1
            return Response("[]")

        return Starlette(routes=[Route("/yolov3", answer, methods=["POST"])])

    with running(server(0)) as one, running(server(1)) as two:
        load = closed_loop(Place((f"{one}/yolov3", f"{two}/yolov3")), PICTURE, clients=4, seconds=0.3)
    assert min(asked) > 0
    assert sum(asked) == load.answers


def test_ratios() -> None:
    figures = Figures(20, 19, 50, 55, 20, 36, 25, 40)
    assert (figures.throughput_ratio, figures.p50_ratio) == pytest.approx((0.95, 1.1))
    assert (figures.scaling, figures.scaling_without) == pytest.approx((1.8, 1.6))


def test_the_picture_is_of_a_cameras_size() -> None:
    assert 20_000 < len(PICTURE) < 400_000
