"""The command against real servers on loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from cloud_apis.contract import CRNN_PATH, YOLOV3_PATH, PlateBox, Word, crnn_answer, yolov3_answer
from cloud_apis.model_files import packaged_models
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis
from tests.tools.sample_inference.pictures import picture
from tools.sample_inference.cli import main

REPOSITORY = Path(__file__).resolve().parents[3]
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("YOLOV3_ENDPOINT", "CRNN_ENDPOINT", "DASHCAM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def apis() -> Iterator[FakeApis]:
    with fake_apis() as behaviour:
        yield behaviour


@pytest.fixture
def car(tmp_path: Path) -> str:
    path = tmp_path / "car.jpg"
    path.write_bytes(picture())
    return str(path)


def _endpoints(apis: FakeApis) -> list[str]:
    return ["--yolov3-endpoint", apis.yolov3, "--crnn-endpoint", apis.crnn]


def _error(output: Output) -> str:
    captured = output.readouterr()
    assert captured.err.startswith("sample-inference: error: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    return captured.err


def test_it_prints_a_table_and_writes_the_annotated_picture(
    apis: FakeApis, car: str, tmp_path: Path, capsys: Output
) -> None:
    assert main([car, *_endpoints(apis)]) == 0
    printed = capsys.readouterr().out
    assert "AB12CDE" in printed
    assert "100, 60, 60, 20" in printed
    annotated = cv2.imread(str(tmp_path / "prediction.jpg"))
    assert annotated is not None
    assert annotated.shape == (200, 320, 3)
    plain = cv2.imread(car)
    assert plain is not None
    changed = cv2.absdiff(annotated, plain)[55:85, 95:165].max()
    assert changed > 60
    assert apis.requests == {YOLOV3_PATH: 1, CRNN_PATH: 1}


def test_endpoints_and_key_may_come_from_the_environment(
    apis: FakeApis, car: str, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("YOLOV3_ENDPOINT", apis.yolov3)
    monkeypatch.setenv("CRNN_ENDPOINT", apis.crnn)
    monkeypatch.setenv("DASHCAM_API_KEY", "secret")
    assert main([car]) == 0
    assert "AB12CDE" in capsys.readouterr().out
    assert all(headers["X-API-Key"] == "secret" for headers in apis.headers)


def test_the_key_may_lie_in_a_file(apis: FakeApis, car: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n", encoding="utf-8")
    assert main([car, *_endpoints(apis), "--api-key-file", str(file)]) == 0
    assert all(headers["X-API-Key"] == "from-file" for headers in apis.headers)


def test_the_key_goes_unencrypted_to_another_machine_only_when_told_to(
    apis: FakeApis, car: str, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "key"
    file.write_text("secret\n", encoding="utf-8")
    asked = [car, *_endpoints(apis), "--api-key-file", str(file)]
    elsewhere = [part.replace("127.0.0.1", "0.0.0.0") for part in asked]  # reaches this machine, yet is no loopback
    assert main(elsewhere) == 2
    assert "--key-unencrypted" in _error(capsys)
    assert not apis.headers
    assert main([*elsewhere, "--key-unencrypted"]) == 0
    assert all(headers["X-API-Key"] == "secret" for headers in apis.headers)


def test_json_is_one_object(apis: FakeApis, car: str, capsys: Output) -> None:
    assert main([car, *_endpoints(apis), "--json", "-o", "out.jpg"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (plate,) = answer["plates"]
    assert plate["text"] == "AB12CDE"
    assert plate["box"] == [100.0, 60.0, 160.0, 80.0]
    assert plate["score"] == pytest.approx(0.931)
    assert plate["confidence"] == pytest.approx(0.95)
    assert plate["words"][0]["quad"][0] == [94.0, 58.0]  # the crop begins a tenth of the box beside it
    assert answer["prediction"] == "out.jpg"
    assert answer["discarded"] == 0


def test_weak_plates_are_discarded_and_not_read(apis: FakeApis, car: str, tmp_path: Path, capsys: Output) -> None:
    apis.boxes = lambda _body: yolov3_answer(
        [PlateBox(100, 60, 160, 80, 0.79, (1.0,)), PlateBox(10, 60, 60, 80, 0.3, (1.0,))]
    )
    assert main([car, *_endpoints(apis)]) == 0
    printed = capsys.readouterr().out
    assert "no plate found" in printed
    assert "2 below the threshold of 0.8 left out (the best has 0.79" in printed
    assert apis.requests == {YOLOV3_PATH: 1}
    assert (tmp_path / "prediction.jpg").stat().st_size > 0
    assert main([car, *_endpoints(apis), "--threshold", "0.5"]) == 0
    assert "AB12CDE" in capsys.readouterr().out


def test_no_plate_is_no_failure(apis: FakeApis, car: str, capsys: Output) -> None:
    apis.boxes = lambda _body: yolov3_answer([])
    assert main([car, *_endpoints(apis)]) == 0
    assert "no plate found" in capsys.readouterr().out
    assert main([car, *_endpoints(apis), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plates"] == []


def test_a_large_picture_is_reduced_and_its_boxes_brought_back(apis: FakeApis, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(picture(2560, 1600, "PNG"))
    assert main([str(path), *_endpoints(apis), "--json"]) == 0
    (plate,) = json.loads(capsys.readouterr().out)["plates"]
    assert plate["box"] == [200.0, 120.0, 320.0, 160.0]


def test_more_plates_than_one_request_takes_are_read_in_several(apis: FakeApis, car: str, capsys: Output) -> None:
    apis.boxes = lambda _body: yolov3_answer([PlateBox(k, 60, k + 40, 80, 0.9, (1.0,)) for k in range(70)])
    assert main([car, *_endpoints(apis), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["plates"]) == 70
    assert apis.requests == {YOLOV3_PATH: 1, CRNN_PATH: 2}


@pytest.mark.parametrize(
    ("unsure", "again", "told"),
    [
        (("B12CDE", 0.7), ("AB12CDE", 0.9), "AB12CDE"),
        (("AB12CDE", 0.7), ("AB12CDE1", 0.4), "AB12CDE"),
        (("", 0.0), ("AB12CDE", 0.3), "AB12CDE"),
    ],
)
def test_what_is_read_unsurely_is_read_again_with_more_around_it(
    apis: FakeApis, car: str, capsys: Output, unsure: tuple[str, float], again: tuple[str, float], told: str
) -> None:
    sure = ("ZZ99", 0.95)
    answers = [[unsure, sure], [again]]
    apis.boxes = lambda _body: yolov3_answer(
        [PlateBox(100, 60, 160, 80, 0.95, (1.0,)), PlateBox(10, 60, 60, 80, 0.9, (1.0,))]
    )

    def instead(path: str, number: int) -> Answer | None:
        if path != CRNN_PATH:
            return None
        quad = ((1.0, 1.0), (50.0, 1.0), (50.0, 15.0), (1.0, 15.0))
        words = [[Word(text, quad, (chance,) * len(text), chance)] if text else [] for text, chance in answers[number]]
        return Answer(200, json.dumps(crnn_answer(words)).encode())

    apis.instead = instead
    assert main([car, *_endpoints(apis), "--json"]) == 0
    plates = json.loads(capsys.readouterr().out)["plates"]
    assert [plate["text"] for plate in plates] == [told, sure[0]]
    assert apis.requests == {YOLOV3_PATH: 1, CRNN_PATH: 2}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(401, b'{"error": {"code": "unauthorised", "message": "no"}}'), "API key"),
        (Answer(500, b"oops"), "500"),
        (Answer(503, b"", {"Retry-After": "1"}), "overloaded"),
        (Answer(200, b"<html>"), "not JSON"),
        (Answer(200, b'{"boxes": [[1]]}'), "yolov3: boxes"),
        (Answer(302, b"", {"Location": "/elsewhere"}), "302"),
    ],
)
def test_apis_that_fail_are_told_in_one_line(
    apis: FakeApis, car: str, tmp_path: Path, capsys: Output, answer: Answer, message: str
) -> None:
    apis.instead = lambda path, _number: answer if path == YOLOV3_PATH else None
    assert main([car, *_endpoints(apis)]) == 1
    assert message in _error(capsys)
    assert not (tmp_path / "prediction.jpg").exists()


def test_a_reader_that_answers_garbage_is_told(apis: FakeApis, car: str, capsys: Output) -> None:
    apis.words = lambda _crops: {"license-plates": [], "confidences": []}
    assert main([car, *_endpoints(apis)]) == 1
    assert "crnn" in _error(capsys)


def test_apis_that_are_down_are_told(car: str, capsys: Output) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert main([car, "--yolov3-endpoint", url + YOLOV3_PATH, "--crnn-endpoint", url + CRNN_PATH]) == 1
    assert "refused" in _error(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--yolov3-endpoint", "http://127.0.0.1:1/yolov3"], "set both endpoints or none"),
        (["--yolov3-endpoint", "ftp://x/yolov3", "--crnn-endpoint", "http://x/crnn"], "not an http"),
        (["--yolov3-endpoint", "http://x:99999/y", "--crnn-endpoint", "http://x/crnn"], "not an http"),
        (["-o", "missing/out.jpg"], "no folder missing"),
        (["-o", "out.png"], "end its name in .jpg"),
        (["--api-key-file", "missing"], "cannot read the key file"),
    ],
)
def test_wrong_arguments_exit_with_2(car: str, capsys: Output, arguments: list[str], message: str) -> None:
    assert main([car, *arguments]) == 2
    assert message in _error(capsys)


@pytest.mark.parametrize("arguments", [[], ["a.jpg", "--threshold", "1.5"], ["a.jpg", "--threshold", "x"], ["a", "b"]])
def test_wrong_usage_exits_with_2_in_one_line(capsys: Output, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    _error(capsys)


def test_a_key_that_is_none_is_refused(car: str, tmp_path: Path, capsys: Output) -> None:
    file = tmp_path / "key"
    file.write_text("\n", encoding="utf-8")
    assert main([car, "--api-key-file", str(file)]) == 2
    assert "not a key" in _error(capsys)


def test_a_result_that_cannot_be_written_is_told(apis: FakeApis, car: str, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "taken.jpg").mkdir()
    assert main([car, *_endpoints(apis), "-o", "taken.jpg"]) == 1
    assert "cannot write taken.jpg" in _error(capsys)


def test_it_starts_the_apis_by_itself(
    car: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not all((packaged_models() / f"{name}.onnx").exists() for name in ("yolov3", "craft", "crnn")):
        pytest.skip("the trained models are not in cloud_apis/models")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # the child runs in the test's folder
    assert main([car]) == 0
    assert "no plate found" in capsys.readouterr().out
    assert (tmp_path / "prediction.jpg").exists()
