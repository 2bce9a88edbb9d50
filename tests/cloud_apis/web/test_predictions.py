from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from cloud_apis.contract import MAX_CROPS, parse_crnn_answer, parse_yolov3_answer
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.web.app import create_app
from tests.cloud_apis.pictures import bgr_jpeg, crop, encoded, grey_jpeg, scene
from tests.cloud_apis.serving import running, tiny_settings

JPEG = {"content-type": "image/jpeg"}
PICTURE = grey_jpeg(scene())


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_picture_gives_the_same_boxes_in_every_form(url: str) -> None:
    png = encoded(Image.fromarray(scene()), "PNG")
    answers = [
        requests.post(f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30),
        requests.post(f"{url}/yolov3", json={"img": base64_of(PICTURE)}, timeout=30),
        requests.post(f"{url}/yolov3", data=png, headers={"content-type": "image/png"}, timeout=30),
    ]
    assert [a.status_code for a in answers] == [200] * 3
    assert answers[0].json() == answers[1].json()
    for answer in answers:
        (box,) = parse_yolov3_answer(answer.json())
        assert box.xmin < 208 < box.xmax
        assert box.ymin < 101 < box.ymax


def test_a_body_in_pieces_is_taken(url: str) -> None:
    pieces = (PICTURE[i : i + 1000] for i in range(0, len(PICTURE), 1000))
    answer = requests.post(f"{url}/yolov3", data=pieces, headers=JPEG, timeout=30)
    assert len(answer.json()["boxes"]) == 1


def test_crops_give_the_same_words_in_every_form(url: str) -> None:
    read, blank = grey_jpeg(crop()), grey_jpeg(np.zeros((20, 40), np.uint8))
    crops = [read, blank, read]
    form = [("imgs", (f"{i}.jpg", data, "image/jpeg")) for i, data in enumerate(crops)]
    answers = [
        requests.post(f"{url}/crnn", files=form, timeout=30),
        requests.post(f"{url}/crnn", json={"imgs": [base64_of(c) for c in crops]}, timeout=30),
    ]
    assert answers[0].json() == answers[1].json()
    words = parse_crnn_answer(answers[0].json(), 3)
    assert [[w.text for w in plate] for plate in words] == [["1"], [], ["1"]]
    for x, y in words[0][0].quad:
        assert 0 <= x <= 96
        assert 0 <= y <= 48


def test_no_crop_gives_no_plate(url: str) -> None:
    empty: dict[str, list[object]] = {"license-plates": [], "confidences": [], "plate-confidences": []}
    assert requests.post(f"{url}/crnn", json={"imgs": []}, timeout=30).json() == empty
    header = {"content-type": "multipart/form-data; boundary=xx"}
    assert requests.post(f"{url}/crnn", data=b"--xx--\r\n", headers=header, timeout=30).json() == empty


def test_as_many_crops_as_allowed(url: str) -> None:
    one = grey_jpeg(crop())
    for count, status in ((MAX_CROPS, 200), (MAX_CROPS + 1, 413)):
        form = [("imgs", (f"{i}.jpg", one, "image/jpeg")) for i in range(count)]
        assert requests.post(f"{url}/crnn", files=form, timeout=60).status_code == status
        body = {"imgs": [base64_of(one)] * count}
        assert requests.post(f"{url}/crnn", json=body, timeout=60).status_code == status


def test_the_reader_answers_with_reads_or_with_the_picture(url: str) -> None:
    picture = bgr_jpeg(cv2.cvtColor(scene(), cv2.COLOR_GRAY2BGR).astype(np.uint8))
    for accept in ("application/json", "*/*", None):
        answer = requests.post(
            f"{url}/license-plate-reader", data=picture, headers={**JPEG, "accept": accept}, timeout=30
        )
        assert answer.headers["content-type"] == "application/json"
        (plate,) = answer.json()["plates"]
        assert plate["box"][0] < 208 < plate["box"][2]
        assert plate["text"] == "".join(word["text"] for word in plate["words"])
    answer = requests.post(
        f"{url}/license-plate-reader", json={"img": base64_of(picture)}, headers={"accept": "image/jpeg"}, timeout=30
    )
    assert answer.headers["content-type"] == "image/jpeg"
    drawn = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.shape == (234, 416, 3)
    before = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert before is not None
    assert np.abs(drawn.astype(int) - before).max() > 100


def test_words_of_the_reader_lie_on_the_picture_sent(url: str) -> None:
    (plate,) = requests.post(f"{url}/license-plate-reader", data=PICTURE, headers=JPEG, timeout=30).json()["plates"]
    (word,) = plate["words"]
    for x, y in word["quad"]:
        assert plate["box"][0] - 20 <= x <= plate["box"][2] + 20
        assert plate["box"][1] - 20 <= y <= plate["box"][3] + 20


def test_a_picture_without_plates_is_no_error(url: str) -> None:
    blank = grey_jpeg(np.zeros((30, 40), np.uint8))
    assert requests.post(f"{url}/yolov3", data=blank, headers=JPEG, timeout=30).json() == {"boxes": []}
    answer = requests.post(f"{url}/license-plate-reader", data=blank, headers=JPEG, timeout=30)
    assert answer.json() == {"plates": []}


@pytest.mark.parametrize("api", list(Api))
def test_an_application_offers_what_was_asked_for(models: Path, api: Api) -> None:
    with running(create_app(tiny_settings(models), apis=[api])) as url:
        for other in Api:
            answer = requests.post(f"{url}/{other}", data=b"", timeout=30)
            assert answer.status_code == (415 if other is api else 404)
        assert requests.get(f"{url}/metrics", timeout=30).ok
        for name in ("yolov3", "craft", "crnn", "vehicles", "attributes"):
            answer = requests.get(f"{url}/v2/models/{name}", timeout=30)
            assert answer.status_code == (200 if name in MODELS_OF[api] else 404)
