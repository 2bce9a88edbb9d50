from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from cloud_apis.contract import MAX_BYTES
from cloud_apis.errors import ApiError
from cloud_apis.images import ImageFormat, ImageInfo, decode_bgr, decode_grey, encode_jpeg, inspect
from tests.cloud_apis.pictures import bgr_jpeg, encoded, grey_jpeg, png_chunk, png_header

GRADIENT = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (40, 1))
COLOUR = np.full((40, 64, 3), (200, 100, 50), np.uint8)
CORNERS = np.kron(np.array([[10, 90], [160, 240]], np.uint8), np.ones((16, 24), np.uint8))


def refused(data: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        decode_grey(data, inspect(data))
    return caught.value


def test_the_header_tells_format_and_size() -> None:
    assert inspect(grey_jpeg(GRADIENT)) == ImageInfo(ImageFormat.JPEG, 64, 40)
    assert inspect(encoded(Image.new("RGB", (64, 40)), "PNG")) == ImageInfo(ImageFormat.PNG, 64, 40)


def test_grey_and_colour_jpegs_decode_to_grey() -> None:
    for data in (grey_jpeg(GRADIENT), bgr_jpeg(np.dstack([GRADIENT] * 3))):
        image = decode_grey(data, inspect(data))
        assert image.shape == (40, 64)
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - GRADIENT).max() < 8


def test_colours_come_in_bgr_order() -> None:
    for data in (bgr_jpeg(COLOUR), encoded(Image.fromarray(COLOUR[:, :, ::-1]), "PNG")):
        image = decode_bgr(data, inspect(data))
        assert image.shape == (40, 64, 3)
        assert np.abs(image.astype(int) - COLOUR).max() < 4


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_of_any_kind_decodes(mode: str) -> None:
    data = encoded(Image.new(mode, (64, 40)), "PNG")
    assert decode_grey(data, inspect(data)).shape == (40, 64)
    assert decode_bgr(data, inspect(data)).shape == (40, 64, 3)
    assert decode_bgr(data, inspect(data)).dtype == np.uint8


def test_sixteen_bits_become_eight() -> None:
    data = encoded(Image.fromarray(np.full((4, 4), 0x8000, np.uint16)), "PNG")
    assert decode_grey(data, inspect(data))[0, 0] in (127, 128)


def test_ink_colours_become_grey() -> None:
    image = Image.new("CMYK", (64, 40), (0, 0, 0, 255))
    data = encoded(image, "JPEG")
    assert inspect(data).cmyk
    assert decode_grey(data, inspect(data)).max() < 60
    assert decode_bgr(data, inspect(data)).shape == (40, 64, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_people_see_them(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera"  # entries before it
    data = encoded(Image.fromarray(CORNERS), kind, exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L"))
    info = inspect(data)
    assert (info.width_px, info.height_px, info.orientation) == (seen.shape[1], seen.shape[0], orientation)
    assert decode_grey(data, info) == pytest.approx(seen, abs=8)
    assert decode_bgr(data, info)[:, :, 1] == pytest.approx(seen, abs=8)


@pytest.mark.parametrize(("orientation", "least"), [(1, (320, 180)), (3, (320, 180)), (6, (180, 320)), (8, (180, 320))])
def test_a_turned_jpeg_is_decoded_smaller_too(orientation: int, least: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.new("L", (1280, 720)), "JPEG", exif=exif)
    info = inspect(data)
    image = decode_grey(data, info, least)
    assert image.shape == (least[1], least[0])
    assert (info.width_px > info.height_px) == (image.shape[1] > image.shape[0])


def test_the_sixteen_bit_values_are_not_cut_off() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (40, 1))
    data = encoded(Image.fromarray(ramp), "PNG")
    assert decode_grey(data, inspect(data)) == pytest.approx(ramp // 256, abs=1)
    assert decode_bgr(data, inspect(data))[:, :, 2] == pytest.approx(ramp // 256, abs=1)


@pytest.mark.parametrize("apart", [False, True])
def test_of_an_animated_png_the_still_picture_counts(apart: bool) -> None:
    frames = [Image.new("L", (64, 40), value) for value in (10, 100, 200)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=apart)
    assert b"acTL" in data
    image = decode_grey(data, inspect(data))
    assert image.shape == (40, 64)
    assert (image == 10).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "BMP", "TIFF"])
def test_other_formats_are_refused_by_name(kind: str) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (10, 200)]
    options: dict[str, object] = {"save_all": True, "append_images": frames[1:]} if kind in ("GIF", "WEBP") else {}
    error = refused(encoded(frames[0], kind, **options))
    assert (error.status, error.code) == (400, "not_an_image")
    assert kind.lower() in error.message.lower()
    assert "JPEG or a PNG" in error.message


@pytest.mark.parametrize("size", [(1, 1), (65_500, 1), (1, 65_500), (65_500, 300)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_smallest_and_the_longest_pictures_decode(kind: str, size: tuple[int, int]) -> None:
    data = encoded(Image.new("L", size, 77), kind)
    image = decode_grey(data, inspect(data))
    assert image.shape == (size[1], size[0])
    assert abs(int(image[0, 0]) - 77) < 3


def test_longer_sides_are_refused_before_decoding() -> None:
    error = refused(png_header(65_501, 1))
    assert (error.status, error.code) == (413, "too_large")
    assert "65500 on a side" in error.message


@pytest.mark.parametrize(("least", "width"), [((64, 36), 160), ((400, 225), 640), ((320, 180), 320)])
def test_a_large_jpeg_is_decoded_smaller_but_never_too_small(least: tuple[int, int], width: int) -> None:
    data = grey_jpeg(np.zeros((360, 640), np.uint8))
    image = decode_grey(data, inspect(data), least)
    assert image.shape[1] >= least[0]
    assert image.shape[0] >= least[1]
    assert image.shape[1] <= width


@pytest.mark.parametrize("data", [b"", b"not a picture", b"GIF89a", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0" * 100])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    error = refused(data)
    assert (error.status, error.code) == (400, "not_an_image")
    assert error.message


def test_a_webp_is_refused() -> None:
    assert refused(encoded(Image.new("RGB", (8, 8)), "WEBP")).status == 400


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_picture_that_is_cut_off_is_refused(part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 64), np.uint8)
    for data in (grey_jpeg(noise), encoded(Image.fromarray(noise), "PNG")):
        assert refused(data[: int(len(data) * part)]).status == 400


def test_a_damaged_png_is_refused() -> None:
    data = bytearray(encoded(Image.fromarray(GRADIENT), "PNG"))
    data[len(data) // 2] ^= 0xFF
    assert "checksum" in refused(bytes(data)).message
    broken = png_header(8, 8)[:-12] + png_chunk(b"IDAT", b"nonsense") + png_chunk(b"IEND", b"")
    assert refused(broken).status == 400


def test_stray_bytes_of_a_camera_are_forgiven() -> None:
    data = grey_jpeg(GRADIENT)
    assert decode_grey(data + b"\0" * 99, inspect(data)).shape == (40, 64)
    assert decode_grey(data[:-2] + b"\0\0\0" + data[-2:], inspect(data)).shape == (40, 64)


def test_bytes_and_pixels_are_bounded_before_decoding() -> None:
    for data in (grey_jpeg(GRADIENT) + b"\0" * MAX_BYTES, png_header(60_000, 60_000), png_header(5001, 5000)):
        error = refused(data)
        assert (error.status, error.code) == (413, "too_large")
    assert inspect(png_header(5000, 5000)).width_px == 5000


def test_a_jpeg_with_endless_scans_is_refused() -> None:
    data = encoded(Image.fromarray(GRADIENT), "JPEG", progressive=True)
    assert decode_grey(data, inspect(data)).shape == (40, 64)
    scan = data[data.rfind(b"\xff\xda") : -2]
    assert "scans" in refused(data[:-2] + scan * 100 + data[-2:]).message


def test_no_pixels_are_refused() -> None:
    assert refused(png_header(0, 8)).status == 400


def test_encoding_keeps_the_size() -> None:
    data = encode_jpeg(COLOUR)
    assert (inspect(data).width_px, inspect(data).height_px) == (64, 40)


VALID = {
    "JPEG": grey_jpeg(GRADIENT),
    "PNG": encoded(Image.fromarray(GRADIENT), "PNG"),
}


@given(st.sampled_from(sorted(VALID)), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
def test_damage_anywhere_gives_a_picture_or_a_refusal(kind: str, damage: list[tuple[int, int]]) -> None:
    data = bytearray(VALID[kind])
    for place, value in damage:
        data[place % len(data)] = value
    try:
        info = inspect(bytes(data))
        image = decode_grey(bytes(data), info)
    except ApiError as error:
        assert error.status in (400, 413)
    else:
        assert image.shape == (info.height_px, info.width_px)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"]),
)
def test_any_bytes_are_refused_in_order(rest: bytes, magic: bytes) -> None:
    assert refused(magic + rest).status in (400, 413)
