"""The prediction APIs as a client meets them: over HTTP, on a server that runs or on one started here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import requests
import simplejpeg

from cloud_apis.contract import API_KEY_HEADER, MAX_CROPS, READER_PATH
from cloud_apis.names import PLATE_APIS
from cloud_apis.settings import ApiSettings
from edge_client.config import DetectionSettings, ReadingSettings
from edge_client.errors import ApiError
from edge_client.imaging import cut_crop, encode_crop, frame_boxes, reduce_frame
from edge_client.requests.apis import PlateApis
from tools.evaluation.endtoend import NoAnswerError, Seen, System
from tools.evaluation.parts import PartError
from tools.evaluation.runs import Image, Read, corner, moved, read_of
from tools.sample_inference.inference import find_plates, open_apis, read_key
from tools.serving import ServeError, served

JPEG_QUALITY: Final = 92
TIMEOUT_S: Final = (5.0, 60.0)


@contextmanager
def server(settings: ApiSettings) -> Iterator[str]:
    """`cloud-apis serve` with these settings on a free loopback port, for as long as this is open: its URL.

    Raises PartError with the server's last words when it does not start.
    """
    try:
        with served(settings, PLATE_APIS) as server:
            yield server.url
    except ServeError as error:
        raise PartError(str(error)) from error


def key_of(file: Path | None) -> str | None:
    """The key in a file's first line, None without a file; raises PartError where there is none, or OSError."""
    try:
        return read_key(file)
    except ValueError as error:
        raise PartError(f"{file}: {error}") from error


@contextmanager
def steps(url: str, api_key: str | None) -> Iterator[System]:
    """As `sample-inference` does it: POST /yolov3 with the picture, then POST /crnn with the crops cut from it.

    The system raises NoAnswerError where the APIs refuse or do not answer.
    """
    with open_apis(url, url, api_key) as apis:
        yield lambda image: _steps(image, apis)


@contextmanager
def dashcam(url: str, api_key: str | None) -> Iterator[System]:
    """As the device does it with a frame: 416 pixels wide and grey to POST /yolov3, crops of the frame to POST /crnn.

    Nothing is tracked or voted: each picture stands for itself. Raises as `steps` does.
    """
    with open_apis(url, url, api_key) as apis:
        yield lambda image: _frame(image, apis)


@contextmanager
def whole(url: str, api_key: str | None) -> Iterator[System]:
    """POST /license-plate-reader with the whole picture as JPEG; raises as `steps` does."""
    with requests.Session() as session:
        if api_key:
            session.headers[API_KEY_HEADER] = api_key
        yield lambda image: _whole(image, url.rstrip("/") + READER_PATH, session)


WAYS: Final[Mapping[str, tuple[str, Callable[[str, str | None], Any]]]] = {
    "apis": ("/yolov3 + /crnn", steps),
    "reader": (READER_PATH, whole),
    "dashcam": ("/yolov3 + /crnn, pictures 416 wide", dashcam),
}
"""The ways of asking by the name of the option: what tables call them, and what asks."""


def models_of(url: str, api_key: str | None) -> str:
    """What a server says of its models: names and versions, in one line. Raises PartError if it cannot be reached."""
    headers = {API_KEY_HEADER: api_key} if api_key else {}
    said = []
    try:
        for name in ("yolov3", "craft", "crnn"):
            answer = requests.get(f"{url.rstrip('/')}/v2/models/{name}", headers=headers, timeout=TIMEOUT_S)
            if answer.status_code == 401:
                raise PartError(f"{url} wants an API key, or another one: name its file with --api-key-file")
            versions = answer.json().get("versions", ["?"]) if answer.ok else ["?"]
            said.append(f"{name} version {', '.join(map(str, versions))}")
    except (requests.RequestException, ValueError) as error:
        raise PartError(f"there are no prediction APIs at {url}: {type(error).__name__}") from error
    return f"{', '.join(said)} at {url}"


def _steps(image: Image, apis: PlateApis) -> list[Seen]:
    try:
        plates = find_plates(image, apis, 0.0).plates
    except ApiError as error:
        raise NoAnswerError(str(error)) from error
    return [Seen((p.box.xmin, p.box.ymin, p.box.xmax, p.box.ymax), p.box.score, read_of(p.words)) for p in plates]


def _frame(image: Image, apis: PlateApis) -> list[Seen]:
    detection, reading = DetectionSettings(), ReadingSettings()
    reduced = reduce_frame(image, detection)
    try:
        boxes = frame_boxes(apis.detect(reduced.jpeg), reduced, image, detection.min_score)[:MAX_CROPS]
        crops = [encode_crop(cut_crop(image, box, reading.crop_margin), reading) for box in boxes]
        plates = apis.read(crops) if crops else ()
    except ApiError as error:
        raise NoAnswerError(str(error)) from error
    seen = []
    for box, words in zip(boxes, plates, strict=True):
        corners = box.xmin, box.ymin, box.xmax, box.ymax
        read = moved(read_of(words), *corner(np.array(corners), reading.crop_margin))
        seen.append(Seen(corners, box.score, read))
    return seen


def post_picture(session: requests.Session, url: str, image: Image, quality: int = JPEG_QUALITY) -> Any:
    """The decoded JSON that answers a picture, BGR uint8 (H, W, 3), sent as JPEG. Raises NoAnswerError."""
    data = simplejpeg.encode_jpeg(image, quality=quality, colorspace="BGR")
    path = urlsplit(url).path
    try:
        answer = session.post(url, data=data, headers={"Content-Type": "image/jpeg"}, timeout=TIMEOUT_S)
        if not answer.ok:
            raise NoAnswerError(f"{path}: answer {answer.status_code}: {answer.text[:200]}")
        return answer.json()
    except requests.RequestException as error:
        raise NoAnswerError(f"{path}: no answer: {type(error).__name__}") from error


def _whole(image: Image, url: str, session: requests.Session) -> list[Seen]:
    return [_seen(plate) for plate in post_picture(session, url, image)["plates"]]


def _seen(plate: Mapping[str, Any]) -> Seen:
    xmin, ymin, xmax, ymax = plate["box"]
    characters = tuple(c for word in plate["words"] for c in word["confidences"])
    read = Read(plate["text"], plate["confidence"], characters)
    return Seen((xmin, ymin, xmax, ymax), plate["score"], read)
