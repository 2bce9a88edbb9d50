"""Getting the picture from files and from real servers, good and bad."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tools.sample_inference.pictures import picture, reply, web_server
from tools.sample_inference import picture as module
from tools.sample_inference.errors import SampleError
from tools.sample_inference.picture import load_picture


def _endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b"\0" * 2**20)


def _cut(handler: BaseHTTPRequestHandler) -> None:
    body = picture()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moved = {"Location": "/car.jpg"}
    with web_server(
        {
            "/car.jpg": reply(picture()),
            "/moved": reply(b"", 302, moved),
            "/loop": reply(b"", 302, {"Location": "/loop"}),
            "/file": reply(b"", 302, {"Location": "file:///etc/hostname"}),
            "/page": reply(b"<html>no picture</html>", 200, {"Content-Type": "image/jpeg"}),
            "/empty": reply(b""),
            "/endless": _endless,
            "/cut": _cut,
        }
    ) as url:
        yield url


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_files_of_all_usual_formats_are_read_as_bgr(tmp_path: Path, form: str) -> None:
    path = tmp_path / "car"
    path.write_bytes(picture(form=form))
    image = load_picture(str(path))
    assert image.shape == (200, 320, 3)
    assert image[100, 10].mean() < image[100, 310].mean()


def test_colours_are_in_bgr_order(tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    Image.new("RGB", (40, 30), (200, 20, 10)).save(path)
    assert load_picture(str(path))[0, 0].tolist() == [10, 20, 200]


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(picture(orientation=6))
    image = load_picture(str(path))
    assert image.shape == (320, 200, 3)
    assert image[10].mean() < image[310].mean()


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(tmp_path: Path, form: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (40, 1))
    path = tmp_path / "deep"
    Image.fromarray(ramp).save(path, form)
    assert load_picture(str(path))[:, :, 0] == pytest.approx(ramp // 256, abs=1)


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_grey_values_with_a_point_become_eight_bits(tmp_path: Path, top: float) -> None:
    path = tmp_path / "points.tif"
    Image.fromarray(np.array([[0, top / 2, top, np.nan]], np.float32)).save(path)
    assert load_picture(str(path))[0, :, 0].tolist() == [0, 127, 255, 0]


def test_ink_palettes_and_transparency_become_colours(tmp_path: Path) -> None:
    red = Image.new("RGB", (40, 30), (200, 20, 10))
    clear = red.convert("RGBA")
    clear.putalpha(0)
    for name, image in {"ink.jpg": red.convert("CMYK"), "p.png": red.convert("P"), "clear.png": clear}.items():
        image.save(tmp_path / name)
        blue, green, seen = load_picture(str(tmp_path / name))[0, 0].astype(int).tolist()
        assert seen > 150, name
        assert blue < 60, name
        assert green < 60, name


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_picture_counts(tmp_path: Path, form: str) -> None:
    frames = [Image.new("L", (40, 30), value) for value in (10, 100, 200)]
    path = tmp_path / "moving"
    frames[0].save(path, form, save_all=True, append_images=frames[1:])
    assert abs(int(load_picture(str(path))[0, 0, 0]) - 10) < 4


@pytest.mark.parametrize("size", [(1, 1), (65_500, 1), (1, 65_500)])
def test_the_smallest_and_the_longest_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "odd.png"
    Image.new("L", size).save(path)
    assert load_picture(str(path)).shape == (size[1], size[0], 3)


def test_a_longer_side_is_told(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    Image.new("L", (65_501, 1)).save(path)
    with pytest.raises(SampleError, match="65,500 on a side"):
        load_picture(str(path))


def test_urls_and_redirects_are_followed(server: str) -> None:
    assert load_picture(f"{server}/car.jpg").shape == (200, 320, 3)
    assert load_picture(f"{server}/moved").shape == (200, 320, 3)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/none.jpg", "answers 404"),
        ("/loop", "redirects more than"),
        ("/file", "cannot fetch"),
        ("/page", "is not a picture"),
        ("/empty", "is empty"),
        ("/endless", "is larger than"),
        ("/cut", "cannot fetch|is not a picture"),
    ],
)
def test_bad_answers_are_told(server: str, path: str, message: str) -> None:
    with pytest.raises(SampleError, match=message) as caught:
        load_picture(server + path)
    assert "\n" not in str(caught.value)


def test_a_server_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE_TIMEOUT_S", 0.0)

    with web_server({"/slow": reply(picture())}) as url, pytest.raises(SampleError, match="takes longer"):
        load_picture(f"{url}/slow")


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        released.wait(30)

    monkeypatch.setattr(module, "READ_TIMEOUT_S", 0.2)
    with web_server({"/silent": silent}) as url:
        with pytest.raises(SampleError, match="does not answer in time"):
            load_picture(f"{url}/silent")
        released.set()


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(SampleError, match="connection refused"):
            load_picture(f"http://127.0.0.1:{port}/car.jpg")


def test_missing_files_folders_and_other_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="there is no file"):
        load_picture(str(tmp_path / "no.jpg"))
    with pytest.raises(SampleError, match="is a folder"):
        load_picture(str(tmp_path))
    text = tmp_path / "notes.jpg"
    text.write_text("a note", encoding="utf-8")
    with pytest.raises(SampleError, match="is not a picture"):
        load_picture(str(text))
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(picture()[:900])
    with pytest.raises(SampleError, match="is not a picture"):
        load_picture(str(cut))


def test_a_picture_that_claims_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (6000, 60000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
        )
        path = tmp_path / "bomb.png"
        path.write_bytes(bomb)
        with pytest.raises(SampleError, match="pixels"):
            load_picture(str(path))
