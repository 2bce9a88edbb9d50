"""Pictures out of the ordinary, through the running APIs: turned, tiny, endless, deep, inked, transparent."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from tests.cloud_apis.pictures import crop, encoded, grey_jpeg, scene

REPORT = "vehicle-report"
JPEG, PNG = {"content-type": "image/jpeg"}, {"content-type": "image/png"}
# How to store a picture so that it is seen upright with this orientation in its EXIF data.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(image: Image.Image, orientation: int, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {"quality": 95} if kind == "JPEG" else {}
    return encoded(image.transpose(STORED[orientation]), kind, exif=exif, **options)


def plates(url: str, data: bytes, header: dict[str, str]) -> list[dict[str, object]]:
    answer = requests.post(f"{url}/license-plate-reader", data=data, headers=header, timeout=60)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["plates"]
    return found


@pytest.mark.parametrize("orientation", sorted(STORED))
def test_answers_are_in_pixels_of_the_picture_as_it_is_seen(url: str, orientation: int) -> None:
    seen = Image.fromarray(scene())
    straight = requests.post(f"{url}/yolov3", data=encoded(seen, "PNG"), headers=PNG, timeout=60).json()["boxes"]
    assert len(straight) == 1
    for kind, header in (("JPEG", JPEG), ("PNG", PNG)):
        data = turned(seen, orientation, kind)
        boxes = requests.post(f"{url}/yolov3", data=data, headers=header, timeout=60).json()["boxes"]
        assert boxes[0][:4] == pytest.approx(straight[0][:4], abs=1)
        (plate,) = plates(url, data, header)
        assert plate["box"] == pytest.approx(straight[0][:4], abs=1)
    answer = requests.post(
        f"{url}/license-plate-reader",
        data=turned(seen, orientation),
        headers={**JPEG, "accept": "image/jpeg"},
        timeout=60,
    )
    drawn = Image.open(io.BytesIO(answer.content))
    assert drawn.size == seen.size
    assert drawn.getexif().get(0x0112, 1) == 1  # nobody turns it again


def test_a_large_turned_picture_is_found_at_its_reduced_size(url: str) -> None:
    large = Image.fromarray(np.kron(scene(), np.ones((4, 4), np.uint8)))
    (box,) = requests.post(f"{url}/yolov3", data=turned(large, 6), headers=JPEG, timeout=60).json()["boxes"]
    assert box[0] < 208 * 4 < box[2]
    assert box[1] < 101 * 4 < box[3]


def test_crops_are_turned_too(url: str) -> None:
    plain, other = encoded(Image.fromarray(crop()), "JPEG", quality=95), turned(Image.fromarray(crop()), 6)
    form = [("imgs", ("c.jpg", data, "image/jpeg")) for data in (plain, other)]
    answer = requests.post(f"{url}/crnn", files=form, timeout=60).json()
    (a,), (b,) = answer["license-plates"]
    assert a[0] == b[0] == "1"
    assert np.array(a[1]) == pytest.approx(np.array(b[1]), abs=1)
    first, second = answer["plate-confidences"]
    assert first == pytest.approx(second, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (65_500, 1), (1, 65_500), (65_500, 64)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_smallest_and_the_longest_are_no_error(url: str, kind: str, size: tuple[int, int]) -> None:
    data, header = encoded(Image.new("L", size, 255), kind), JPEG if kind == "JPEG" else PNG
    assert requests.post(f"{url}/yolov3", data=data, headers=header, timeout=60).status_code == 200
    plates(url, data, header)
    form = [("imgs", ("c", data, header["content-type"]))]
    assert requests.post(f"{url}/crnn", files=form, timeout=60).status_code == 200
    answer = requests.post(
        f"{url}/license-plate-reader", data=data, headers={**header, "accept": "image/jpeg"}, timeout=60
    )
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == size


def test_every_kind_of_pixel_shows_the_same_plate(url: str) -> None:
    seen = scene()
    grey = Image.fromarray(seen)
    deep = Image.fromarray(seen.astype(np.uint16) * 257)
    alpha = grey.convert("RGBA")
    alpha.putalpha(Image.fromarray(np.full_like(seen, 128)))
    kinds = {
        "grey": (encoded(grey, "PNG"), PNG),
        "palette": (encoded(grey.convert("P"), "PNG"), PNG),
        "16 bits": (encoded(deep, "PNG"), PNG),
        "alpha": (encoded(alpha, "PNG"), PNG),
        "ink": (encoded(grey.convert("RGB").convert("CMYK"), "JPEG", quality=95), JPEG),
        "progressive": (encoded(grey, "JPEG", progressive=True, quality=95), JPEG),
        "animated": (encoded(grey, "PNG", save_all=True, append_images=[Image.new("L", grey.size)]), PNG),
    }
    boxes = {name: plates(url, data, header) for name, (data, header) in kinds.items()}
    for name, found in boxes.items():
        assert len(found) == 1, name
        assert found[0]["box"] == pytest.approx(boxes["grey"][0]["box"], abs=1), name


def told(url: str, route: str, data: bytes, header: dict[str, str]) -> dict[str, Any]:
    answer = requests.post(f"{url}/{route}", data=data, headers=header, timeout=60)
    assert answer.status_code == 200, f"{route}: {answer.text}"
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("orientation", sorted(STORED))
def test_vehicles_are_told_in_pixels_of_the_picture_as_it_is_seen(url: str, orientation: int) -> None:
    seen = Image.fromarray(scene()).convert("RGB")
    ((straight,), (reported,)) = (told(url, r, encoded(seen, "PNG"), PNG)["vehicles"] for r in ("vehicles", REPORT))
    for kind, header in (("JPEG", JPEG), ("PNG", PNG)):
        data = turned(seen, orientation, kind)
        (vehicle,) = told(url, "vehicles", data, header)["vehicles"]
        assert vehicle["box"] == pytest.approx(straight["box"], abs=1)
        (vehicle,) = told(url, REPORT, data, header)["vehicles"]
        assert vehicle["box"] == pytest.approx(reported["box"], abs=1)
        (plate,) = vehicle["plates"]
        assert plate["box"] == pytest.approx(reported["plates"][0]["box"], abs=1)
    answer = requests.post(
        f"{url}/{REPORT}", data=turned(seen, orientation), headers={**JPEG, "accept": "image/jpeg"}, timeout=60
    )
    drawn = Image.open(io.BytesIO(answer.content))
    assert drawn.size == seen.size
    assert drawn.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (65_500, 1), (1, 65_500)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_smallest_and_the_longest_are_no_error_of_vehicles(url: str, kind: str, size: tuple[int, int]) -> None:
    data, header = encoded(Image.new("L", size, 255), kind), JPEG if kind == "JPEG" else PNG
    for route in ("vehicles", "make-model", REPORT):
        told(url, route, data, header)
    assert told(url, "colors", data, header)["colors"][0]["color"] == "white"
    answer = requests.post(f"{url}/{REPORT}", data=data, headers={**header, "accept": "image/jpeg"}, timeout=60)
    assert Image.open(io.BytesIO(answer.content)).size == size


def test_every_kind_of_pixel_shows_the_same_vehicle(url: str) -> None:
    seen = Image.fromarray(scene()).convert("RGB")
    alpha = seen.convert("RGBA")
    alpha.putalpha(128)
    kinds = {
        "colour": (encoded(seen, "PNG"), PNG),
        "grey": (encoded(seen.convert("L"), "PNG"), PNG),
        "palette": (encoded(seen.convert("P"), "PNG"), PNG),
        "16 bits": (encoded(Image.fromarray(scene().astype(np.uint16) * 257), "PNG"), PNG),
        "alpha": (encoded(alpha, "PNG"), PNG),
        "ink": (encoded(seen.convert("CMYK"), "JPEG", quality=95), JPEG),
    }
    plain = told(url, REPORT, *kinds["colour"])["vehicles"][0]
    for name, (data, header) in kinds.items():
        (vehicle,) = told(url, "vehicles", data, header)["vehicles"]
        assert vehicle["box"] == pytest.approx(plain["box"], abs=1), name
        (vehicle,) = told(url, REPORT, data, header)["vehicles"]
        assert vehicle["box"] == pytest.approx(plain["box"], abs=1), name
        assert len(vehicle["plates"]) == 1, name


def test_every_kind_of_pixel_has_the_same_colours(url: str) -> None:
    red = Image.new("RGB", (96, 64), (220, 30, 30))
    alpha = red.convert("RGBA")
    alpha.putalpha(128)
    kinds = {
        "turned": (turned(red, 6), JPEG),
        "palette": (encoded(red.convert("P"), "PNG"), PNG),
        "16 bits": (deep_png(red), PNG),
        "alpha": (encoded(alpha, "PNG"), PNG),
        "ink": (encoded(red.convert("CMYK"), "JPEG", quality=95), JPEG),
    }
    for name, (data, header) in kinds.items():
        assert told(url, "colors", data, header)["colors"][0]["color"] == "red", name
        assert told(url, "make-model", data, header)["make"] == "Suzuki", name


def deep_png(image: Image.Image) -> bytes:
    """With 16 bits for each of red, green and blue, which Pillow does not write."""
    deep = np.asarray(image).astype(np.uint16)[:, :, ::-1] * 257
    done, data = cv2.imencode(".png", deep)
    assert done
    return data.tobytes()


def test_a_picture_that_is_cut_off_is_refused_beside_good_ones(url: str) -> None:
    good = grey_jpeg(crop())
    form = [("imgs", ("c.jpg", data, "image/jpeg")) for data in (good, good[: len(good) // 2])]
    answer = requests.post(f"{url}/crnn", files=form, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "not_an_image"
    assert requests.post(f"{url}/crnn", files=form[:1], timeout=60).status_code == 200


def test_an_animation_of_another_format_is_refused_by_name(url: str) -> None:
    frames = [Image.fromarray(scene()), Image.new("L", (416, 234))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    answer = requests.post(f"{url}/yolov3", data=data, headers=JPEG, timeout=60)
    assert answer.status_code == 400
    assert "GIF" in answer.json()["error"]["message"]
