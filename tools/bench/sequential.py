"""The naive client: one picture at a time, one request at a time. The peer of the dashcam's full rate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import requests
import simplejpeg
from numpy.typing import NDArray

from cloud_apis.contract import CRNN_PATH, YOLOV3_PATH, parse_crnn_answer, parse_yolov3_answer
from edge_client.config import DetectionSettings, ReadingSettings
from tools.evaluation.runs import cut
from tools.evaluation.sets import read_picture


def read_pictures(pictures: Sequence[Path], url: str) -> tuple[float, int]:
    """Reads all plates of all pictures, one request after the other; seconds taken and texts read.

    Sizes, qualities and thresholds are the dashcam's. Nothing is tracked, drawn or stored.
    """
    detection, reading = DetectionSettings(), ReadingSettings()
    texts = 0
    start = time.perf_counter()
    with requests.Session() as session:
        for path in pictures:
            image = read_picture(path)
            width, height = detection.yolov3_input_size_px, image.shape[0] * detection.yolov3_input_size_px
            size = (width, max(1, round(height / image.shape[1])))
            small = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
            answer = session.post(
                url + YOLOV3_PATH,
                data=_jpeg(small[..., None], "GRAY", detection.yolov3_jpeg_quality),
                headers={"Content-Type": "image/jpeg"},
                timeout=30,
            )
            answer.raise_for_status()
            boxes = [b for b in parse_yolov3_answer(answer.json()) if b.score >= detection.min_score]
            scale = image.shape[1] / size[0]
            crops = [cut(image, np.array([b.xmin, b.ymin, b.xmax, b.ymax]) * scale, reading.crop_margin) for b in boxes]
            if not crops:
                continue
            parts = [
                ("imgs", (f"{i}.jpg", _jpeg(crop, "BGR", reading.crnn_jpeg_quality), "image/jpeg"))
                for i, crop in enumerate(crops)
            ]
            answer = session.post(url + CRNN_PATH, files=parts, timeout=30)
            answer.raise_for_status()
            texts += sum(bool(words) for words in parse_crnn_answer(answer.json(), len(crops)))
    return time.perf_counter() - start, texts


def _jpeg(image: NDArray[np.uint8] | cv2.typing.MatLike, colour: str, quality: int) -> bytes:
    encoded: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=quality, colorspace=colour)
    return encoded
