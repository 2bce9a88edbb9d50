from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from cloud_apis.contract import PlateBox, PlateRead, Word, crnn_answer, reader_answer, yolov3_answer
from cloud_apis.names import Api
from cloud_apis.web.schemas import BoxesAnswer, ReadsAnswer, WordsAnswer


@pytest.fixture(scope="module")
def spec(url: str) -> dict[str, Any]:
    answer = requests.get(f"{url}/openapi.json", timeout=30)
    assert answer.ok
    content: dict[str, Any] = answer.json()
    return content


def test_every_route_is_described(spec: dict[str, Any]) -> None:
    assert spec["paths"].keys() == {
        "/yolov3",
        "/crnn",
        "/license-plate-reader",
        "/vehicles",
        "/colors",
        "/make-model",
        "/vehicle-report",
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/{name}",
        "/v2/models/{name}/ready",
        "/metrics",
    }


@pytest.mark.parametrize("path", ["/yolov3", "/license-plate-reader"])
def test_pictures_are_described(spec: dict[str, Any], path: str) -> None:
    content = spec["paths"][path]["post"]["requestBody"]["content"]
    assert content.keys() == {"image/jpeg", "image/png", "application/json"}
    assert content["application/json"]["schema"]["required"] == ["img"]


def test_crops_are_described(spec: dict[str, Any]) -> None:
    content = spec["paths"]["/crnn"]["post"]["requestBody"]["content"]
    assert content.keys() == {"multipart/form-data", "application/json"}
    assert content["multipart/form-data"]["schema"]["properties"]["imgs"]["type"] == "array"


@pytest.mark.parametrize("path", ["/vehicles", "/colors", "/make-model", "/vehicle-report"])
def test_pictures_of_vehicles_may_come_as_forms(spec: dict[str, Any], path: str) -> None:
    content = spec["paths"][path]["post"]["requestBody"]["content"]
    assert content.keys() == {"image/jpeg", "image/png", "application/json", "multipart/form-data"}
    assert content["multipart/form-data"]["schema"]["required"] == ["image"]


@pytest.mark.parametrize("path", [f"/{api}" for api in Api])
def test_errors_are_described_as_they_are(spec: dict[str, Any], path: str) -> None:
    responses = spec["paths"][path]["post"]["responses"]
    assert responses.keys() == {"200", "400", "401", "408", "413", "415", "422", "500", "503"}
    for status in responses.keys() - {"200"}:
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}
    assert "Retry-After" in responses["503"]["headers"]


def test_the_annotated_picture_is_described(spec: dict[str, Any]) -> None:
    content = spec["paths"]["/license-plate-reader"]["post"]["responses"]["200"]["content"]
    assert content.keys() == {"application/json", "image/jpeg"}


def test_answers_are_of_the_form_that_is_described() -> None:
    box = PlateBox(1, 2, 3, 4, 0.5, (0.9,))
    word = Word("AB", ((0, 0), (1, 0), (1, 1), (0, 1)), (0.5, 0.6), plate_confidence=0.4)
    BoxesAnswer.model_validate(yolov3_answer([box]), extra="forbid")
    WordsAnswer.model_validate(crnn_answer([[word], []]), extra="forbid")
    ReadsAnswer.model_validate(reader_answer([PlateRead(box, (word,))]), extra="forbid")


def test_the_page_needs_nothing_from_elsewhere(url: str) -> None:
    answer = requests.get(f"{url}/docs", timeout=30)
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.findall(r"https?://", answer.text)
    assert not re.findall(r"(?:src|href)=\"//", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "openapi.json" in answer.text


def test_a_browser_shows_every_request(url: str, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    shown = subprocess.run(
        [browser, *options, "--virtual-time-budget=5000", "--dump-dom", f"{url}/docs"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    for path in ("/yolov3", "/crnn", "/license-plate-reader", "/metrics"):
        assert f"<code>{path}</code>" in shown
    assert "Too many bytes, pixels or crops" in shown
    assert '"license-plates": [[[string, [[number, number], ' in shown
    assert "could not be loaded" not in shown.split("<script>")[0]
