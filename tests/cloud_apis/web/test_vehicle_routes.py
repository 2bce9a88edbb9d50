from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pytest
import requests

from cloud_apis.attributes.classifier import KNOWN
from cloud_apis.catalogue.rows import COLUMNS
from cloud_apis.contract.vehicles import parse_vehicles_answer
from cloud_apis.model_files import packaged_models
from cloud_apis.names import Api
from cloud_apis.web.app import create_app
from tests.cloud_apis import tiny_models
from tests.cloud_apis.pictures import bgr_jpeg, coloured, scene
from tests.cloud_apis.serving import command, running, serving, tiny_settings, write_config
from tools.catalogue.cli import main as catalogue_command

JPEG = {"content-type": "image/jpeg"}
SCENE = bgr_jpeg(cv2.cvtColor(scene(), cv2.COLOR_GRAY2BGR).astype(np.uint8))
RED = bgr_jpeg(coloured(220, 30, 30))


@pytest.fixture(scope="module")
def colours_url(models: Path) -> Iterator[str]:
    """A server of the colours alone."""
    with running(create_app(tiny_settings(models), apis=[Api.COLOURS])) as address:
        yield address


def post(url: str, data: bytes = SCENE, headers: Mapping[str, str] = MappingProxyType({})) -> requests.Response:
    return requests.post(url, data=data, headers={**JPEG, **headers}, timeout=30)


def test_vehicles_are_found(url: str) -> None:
    (box,) = parse_vehicles_answer(post(f"{url}/vehicles").json())
    assert box.kind == "car"
    assert box.xmin < 208 < box.xmax
    assert box.ymin < 101 < box.ymax


def test_a_picture_gives_the_same_answer_in_every_form(url: str) -> None:
    for path in ("vehicles", "colors", "make-model", "vehicle-report"):
        answers = [
            post(f"{url}/{path}", RED),
            requests.post(f"{url}/{path}", files={"image": ("car.jpg", RED, "image/jpeg")}, timeout=30),
            requests.post(f"{url}/{path}", json={"img": base64.b64encode(RED).decode()}, timeout=30),
        ]
        assert [a.status_code for a in answers] == [200] * 3
        assert answers[0].json() == answers[1].json() == answers[2].json()


def test_the_colours_alone_are_served_at_the_root(colours_url: str) -> None:
    for path in ("/", "/colors"):
        answer = requests.post(f"{colours_url}{path}", files={"image": ("car.jpg", RED, "image/jpeg")}, timeout=30)
        content = answer.json()
        assert content.keys() == {"colors"}
        assert len(content["colors"]) == 3
        assert all(c.keys() == {"color", "prob"} for c in content["colors"])
        assert content["colors"][0]["color"] == "red"
        assert content["colors"][0]["prob"] > content["colors"][1]["prob"] >= content["colors"][2]["prob"]
    assert post(f"{colours_url}/yolov3").status_code == 404
    metrics = requests.get(f"{colours_url}/metrics", timeout=30).text
    assert 'cloud_apis_requests_total{api="colors",status="200"} 2.0' in metrics


def test_beside_other_apis_the_root_takes_no_picture(url: str) -> None:
    assert post(url).status_code == 405


def test_makes_and_models_are_told_with_facts(url: str) -> None:
    answer = post(f"{url}/make-model?top_k=2", RED).json()
    assert (answer["make"], answer["model"]) == ("Suzuki", "Alto")
    assert [m["make"] for m in answer["makes"]] == ["Suzuki", "Toyota"]
    assert [(m["make"], m["model"]) for m in answer["models"]] == [("Suzuki", "Alto"), ("Toyota", "Corolla")]
    facts = answer["models"][0]["facts"]
    assert facts["model"].lower() == "alto"
    assert all(facts[name]["sources"] for name in ("body_types", "seats", "years") if facts[name])


def test_facts_of_ones_own_are_told_where_the_settings_name_their_table(models: Path, tmp_path: Path) -> None:
    own, joined = tmp_path / "mine.csv", tmp_path / "cars.csv"
    own.write_text(f"{','.join(COLUMNS)}\nSuzuki,Alto,gearboxes,cvt,,,mine,https://a.example/mine\n", encoding="utf-8")
    assert catalogue_command(["import", str(own), "--into", str(joined), "--replace"]) == 0
    config = write_config(tmp_path, models, catalogue=str(joined))
    with serving(config, "--api", "make-model") as (address, _):
        facts = post(f"{address}/make-model", RED).json()["models"][0]["facts"]
    assert facts["gearboxes"] == {"value": ["cvt"], "sources": ["https://a.example/mine"], "scopes": ["mine"]}
    assert facts["seats"]  # of the shipped table


def test_a_table_of_facts_that_is_missing_or_faulty_is_named_at_the_start(models: Path, tmp_path: Path) -> None:
    table = tmp_path / "cars.csv"
    for content, said in ((None, "cannot read the catalogue"), (f"{','.join(COLUMNS)}\nx,y,seats,9,,,,\n", "line 2: ")):
        if content is not None:
            table.write_text(content, encoding="utf-8")
        process = command("serve", "--config", str(write_config(tmp_path, models, catalogue=str(table))), "--port", "0")
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert said in errors
        assert str(table) in errors
        assert len(errors.splitlines()) == 1


def test_what_looks_like_nothing_known_is_unknown(url: str) -> None:
    answer = post(f"{url}/make-model", bgr_jpeg(coloured(10, 10, 40))).json()
    assert (answer["make"], answer["model"]) == ("unknown", "unknown")


def test_classes_of_ones_own_are_told_of_a_car_and_in_a_report(models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(models, tmp_path / "models")
    heads = [*tiny_models.HEADS, {"name": "duty", "labels": ["fire/rescue", "taxi", "police", "*"]}]
    tiny_models.write(
        folder, "attributes", tiny_models.attributes({**tiny_models.SHIPPED, "duty": "colour"}), heads=heads
    )
    with running(create_app(tiny_settings(folder))) as address:
        answer = post(f"{address}/make-model?top_k=2", RED).json()
        (vehicle,) = post(f"{address}/vehicle-report").json()["vehicles"]
        described = requests.get(f"{address}/openapi.json", timeout=30).json()["components"]["schemas"]
    assert answer["make"] == "Suzuki"
    assert answer["classes"].keys() == {"duty"}
    best, second = answer["classes"]["duty"]
    assert best["name"] == "fire/rescue"
    assert best["prob"] > second["prob"]
    assert len(vehicle["classes"]["duty"]) == 4
    assert "classes" in described["MakeModelAnswer"]["properties"]


def test_a_model_with_ones_own_head_alone_is_served(tmp_path: Path) -> None:
    head = {"name": "class", "labels": ["taxi", "bus", "police", "none"]}
    tiny_models.write(tmp_path, "attributes", tiny_models.attributes({"class": "colour"}), heads=[head])
    with running(create_app(tiny_settings(tmp_path), apis=[Api.MAKE_MODEL, Api.COLOURS])) as address:
        answer = post(f"{address}/make-model", RED).json()
    assert answer.pop("classes")["class"][0]["name"] == "taxi"
    assert answer == {"make": "unknown", "model": "unknown", "makes": [], "models": []}


def test_the_shipped_heads_are_no_classes_of_ones_own(url: str) -> None:
    assert "classes" not in post(f"{url}/make-model", RED).json()
    shipped = json.loads((packaged_models() / "attributes.json").read_text(encoding="utf-8"))
    assert {head["name"] for head in shipped["heads"]} <= KNOWN


@pytest.mark.parametrize("top_k", ["0", "51", "many", "-1"])
def test_a_senseless_number_of_guesses_is_refused(url: str, top_k: str) -> None:
    answer = post(f"{url}/make-model?top_k={top_k}")
    assert answer.status_code == 422
    assert "top_k" in answer.json()["error"]["message"]


def test_a_report_tells_of_each_vehicle_and_its_plates(url: str) -> None:
    report = post(f"{url}/vehicle-report").json()
    (vehicle,) = report["vehicles"]
    assert vehicle["class"] == "car"
    assert len(vehicle["colors"]) == 3
    assert vehicle["types"]
    assert len(vehicle["plates"]) == 1
    assert report["plates"] == []


def test_the_number_of_makes_cuts_neither_colours_nor_types(url: str) -> None:
    (vehicle,) = post(f"{url}/vehicle-report?top_k=1").json()["vehicles"]
    assert len(vehicle["colors"]) == 3
    assert len(vehicle["types"]) == 2  # all that the tiny model knows
    assert len(vehicle["makes"]) == len(vehicle["models"]) == 1
    answer = post(f"{url}/make-model?top_k=1").json()
    assert len(answer["makes"]) == len(answer["models"]) == 1


def test_a_report_of_nothing_is_empty(url: str) -> None:
    assert post(f"{url}/vehicle-report", bgr_jpeg(coloured(5, 5, 5))).json() == {"vehicles": [], "plates": []}


def test_a_report_may_be_the_picture(url: str) -> None:
    answer = post(f"{url}/vehicle-report", headers={"accept": "image/jpeg"})
    assert answer.headers["content-type"] == "image/jpeg"
    drawn = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None and drawn.shape == (234, 416, 3)
    assert (np.abs(drawn.astype(int) - 20) > 60).sum() > 2000


@pytest.mark.parametrize("path", ["vehicles", "colors", "make-model", "vehicle-report"])
def test_what_is_no_picture_is_refused(url: str, path: str) -> None:
    assert post(f"{url}/{path}", b"no picture").status_code == 400
    assert (
        requests.post(f"{url}/{path}", data="x", headers={"content-type": "text/plain"}, timeout=30).status_code == 415
    )
    form = {"picture": ("car.jpg", RED, "image/jpeg")}
    assert requests.post(f"{url}/{path}", files=form, timeout=30).status_code == 422
    both = [("image", ("a.jpg", RED, "image/jpeg")), ("image", ("b.jpg", RED, "image/jpeg"))]
    assert requests.post(f"{url}/{path}", files=both, timeout=30).status_code == 413


def test_without_the_key_nothing_is_told(models: Path) -> None:
    with running(create_app(tiny_settings(models), apis=[Api.COLOURS], api_key="k")) as address:
        for path in ("/", "/colors"):
            assert post(f"{address}{path}").status_code == 401
            assert post(f"{address}{path}", headers={"X-API-Key": "k"}).status_code == 200
