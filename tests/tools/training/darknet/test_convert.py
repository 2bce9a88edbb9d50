from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests

pytest.importorskip("torch", reason="the train extra is not installed")
ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from cloud_apis.errors import StartError
from cloud_apis.names import Api
from cloud_apis.settings import load_settings
from cloud_apis.web.app import create_app
from cloud_apis.yolov3.detector import load_detector
from cloud_apis.yolov3.postprocess import VOTE_IOU
from tests.cloud_apis.serving import running, tiny_settings
from tests.tools.training.darknet.tiny import PEER, TINY_CFG, random_weights, write_tiny
from tools.evaluation.detection import iou_matrix
from tools.training.darknet.__main__ import main
from tools.training.darknet.convert import convert, served_side
from tools.training.darknet.errors import DarknetError
from tools.training.datasets.labels import Corners


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny detector's files, converted into `models`."""
    folder = tmp_path_factory.mktemp("darknet")
    peer = np.load(PEER)
    (folder / "tiny.cfg").write_text(str(peer["cfg"]))
    (folder / "tiny.weights").write_bytes(peer["weights"].tobytes())
    (folder / "obj.names").write_text("car\nplate\n")
    convert(folder / "tiny.cfg", folder / "tiny.weights", folder / "models", folder / "obj.names")
    return folder


def test_raw_outputs_are_those_of_opencv(converted: Path) -> None:
    peer = np.load(PEER)
    session = ort.InferenceSession(str(converted / "models" / "yolov3.onnx"))
    image = peer["grey"][None, None].astype(np.float32) / 255
    p8, p16 = session.run(["p8", "p16"], {"image": image})
    assert np.abs(p16 - peer["p16"]).max() < 1e-5
    # The last anchor of stride 8 is 20.4 x 8.25: the manifest has 20 x 8, the rest is in the output.
    p8[0, 16] -= np.log(20.4 / 20)
    p8[0, 17] -= np.log(8.25 / 8)
    assert np.abs(p8 - peer["p8"]).max() < 1e-5


def test_the_running_api_answers_the_boxes_of_opencv(converted: Path) -> None:
    peer = np.load(PEER)
    changes = {"net_w": 96, "net_h": 64, "nms_thresh": 1.0, "obj_thresh": 0.25, "anchors": None, "labels": None}
    settings = tiny_settings(converted / "models", **{f"yolov3__{k}": v for k, v in changes.items()})
    _, picture = cv2.imencode(".png", peer["grey"])
    with running(create_app(settings, apis=[Api.YOLOV3])) as url:
        answer = requests.post(
            f"{url}/yolov3", data=picture.tobytes(), headers={"Content-Type": "image/png"}, timeout=30
        )
    assert answer.status_code == 200
    found = [
        [*corners, objectness * max(classes), int(np.argmax(classes))]
        for *corners, objectness, classes in answer.json()["boxes"]
    ]
    expected = [
        [*in_pixels(row), float(row[5:].max()), int(np.argmax(row[5:]))]
        for row in peer["boxes"]
        if row[5:].max() > 0.251
    ]
    # OpenCV's boxes are as the network says; ours are voted where several stand on one place.
    corners = np.array([row[:4] for row in expected])
    neighbours = (iou_matrix(corners, corners) >= VOTE_IOU).sum(axis=1)
    alone = [box for box, near in zip(expected, neighbours, strict=True) if near == 1]
    assert len(expected) == len(found) > 20
    assert len(alone) > 10
    for box in alone:
        nearest = min(found, key=lambda other: float(np.abs(np.subtract(other, box)).max()))
        assert nearest == pytest.approx(box, abs=0.02)


def in_pixels(row: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Corners:
    """OpenCV's centre and size as corners inside a picture of 96 x 64."""
    x, y, width, height = row[:4]
    corners = ((x - width / 2) * 96, (y - height / 2) * 64, (x + width / 2) * 96, (y + height / 2) * 64)
    xmin, ymin, xmax, ymax = (float(np.clip(v, 0, limit)) for v, limit in zip(corners, (96, 64, 96, 64), strict=True))
    return xmin, ymin, xmax, ymax


@pytest.mark.skipif(not hasattr(cv2.dnn, "readNetFromDarknet"), reason="this OpenCV reads no Darknet files")
def test_other_weights_agree_with_the_opencv_here(tmp_path: Path) -> None:
    cfg, weights = write_tiny(tmp_path, seed=8)
    made = convert(cfg, weights, tmp_path)
    grey = np.random.default_rng(0).random((64, 96), np.float32)
    net = getattr(cv2.dnn, "readNetFromDarknet")(str(cfg), str(weights))  # noqa: B009 - the stubs are of OpenCV 5
    net.setInput(np.repeat(grey[None, None], 3, axis=1))
    (ours,) = ort.InferenceSession(str(made.file)).run(["p16"], {"image": grey[None, None]})
    assert np.abs(net.forward("conv_12") - ours).max() < 1e-4


def test_the_manifest_holds_what_the_server_needs(converted: Path) -> None:
    manifest = json.loads((converted / "models" / "yolov3.json").read_text())
    assert manifest["labels"] == ["car", "plate"]
    assert manifest["strides"] == [8, 16]
    assert manifest["anchors"] == [8, 4, 14, 6, 20, 8, 30, 12, 44, 16, 60, 30]
    assert manifest["precision"] == "float32" and set(manifest["converted_from"]) == {"tiny.cfg", "tiny.weights"}


@pytest.mark.parametrize("which", ["shipped", "written"])
def test_a_converted_model_is_served_with_the_shipped_settings_and_its_own(converted: Path, which: str) -> None:
    settings = load_settings(None if which == "shipped" else converted / "models" / "apis.yaml")
    if which == "shipped":
        settings = settings.model_copy(update={"models": str(converted / "models")})
    else:
        assert (settings.yolov3.net_w, settings.yolov3.net_h) == (96, 64)
    _, picture = cv2.imencode(".png", np.load(PEER)["grey"])
    with running(create_app(settings, apis=[Api.YOLOV3])) as url:
        answer = requests.post(
            f"{url}/yolov3", data=picture.tobytes(), headers={"Content-Type": "image/png"}, timeout=30
        )
    assert answer.status_code == 200
    assert all(len(classes) == 2 for *_, classes in answer.json()["boxes"])


def test_named_labels_and_anchors_are_still_checked(converted: Path) -> None:
    for key, value in (("labels", ["plate", "car"]), ("anchors", [2, 2, *([9, 9] * 5)])):
        settings = tiny_settings(converted / "models", **{"yolov3__labels": None, "yolov3__anchors": None})
        detector = settings.yolov3.model_copy(update={key: value})
        with pytest.raises(StartError, match=rf"yolov3\.{key} must be"):
            load_detector(converted / "models", detector)


@pytest.mark.parametrize(("side", "served"), [(416, 416), (8, 32), (100, 96), (9000, 4096)])
def test_the_served_size_is_one_that_the_settings_take(side: int, served: int) -> None:
    assert served_side(side) == served


def test_stretched_centres_become_plain_ones(tmp_path: Path) -> None:
    """With `scale_x_y` of YOLOv4 the centres move away from the cell's middle by that factor."""
    logits = {}
    for stretch in ("1.0", "1.2"):
        cfg, weights = write_tiny(tmp_path)
        cfg.write_text(TINY_CFG.replace("num=6", f"scale_x_y={stretch}"))
        image = np.random.default_rng(1).random((1, 1, 64, 96), np.float32)
        file = convert(cfg, weights, tmp_path / stretch).file
        (logits[stretch],) = ort.InferenceSession(str(file)).run(["p16"], {"image": image})
    plain, stretched = (1 / (1 + np.exp(-logits[s].reshape(3, 7, 4, 6)[:, :2].astype(float))) for s in ("1.0", "1.2"))
    assert np.allclose(np.clip(0.5 + (plain - 0.5) * 1.2, 1e-4, 1 - 1e-4), stretched, atol=1e-4)
    assert np.array_equal(*(logits[s].reshape(3, 7, 4, 6)[:, 2:] for s in ("1.0", "1.2")))


def test_int8_stays_near_float32(tmp_path: Path) -> None:
    cfg, weights = write_tiny(tmp_path)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rng = np.random.default_rng(0)
    for i in range(10):
        cv2.imwrite(str(pictures / f"{i}.png"), rng.integers(0, 256, (64, 96), dtype=np.uint8))
    (pictures / "broken.jpg").write_text("no picture")
    assert (
        main(["--cfg", str(cfg), "--weights", str(weights), "--target", str(tmp_path / "m"), "--int8", str(pictures)])
        == 0
    )
    assert json.loads((tmp_path / "m" / "yolov3.json").read_text())["precision"] == "int8"
    image = {"image": rng.random((1, 1, 64, 96), np.float32)}
    float_file, int8_file = tmp_path / "m" / "yolov3.float32.onnx", tmp_path / "m" / "yolov3.onnx"
    exact, near = (ort.InferenceSession(str(file)).run(["p8"], image)[0] for file in (float_file, int8_file))
    assert np.abs(exact - near).max() > 0 and np.abs(exact - near).mean() < 0.1 * exact.std()
    for few in pictures.glob("[3-9].png"):
        few.unlink()
    with pytest.raises(DarknetError, match="at least 8"):
        convert(cfg, weights, tmp_path / "few", pictures=pictures)


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg, weights = write_tiny(tmp_path)
    (tmp_path / "obj.names").write_text("plate\n")
    command = ["--cfg", str(cfg), "--weights", str(weights), "--target", str(tmp_path / "models")]
    assert main([*command, "--names", str(tmp_path / "obj.names")]) == 1
    assert "has 1 names; the .cfg has 2 classes" in capsys.readouterr().err
    weights.write_bytes(random_weights(TINY_CFG, 1)[:-4])
    assert main(command) == 1
    assert "fewer than" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
