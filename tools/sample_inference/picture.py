"""Gets the picture: from a file or a URL, within bounds on bytes, pixels and time."""

from __future__ import annotations

import io
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import requests
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cloud_apis.contract import MAX_PIXELS, MAX_SIDE_PX
from tools.sample_inference.errors import SampleError

MAX_DOWNLOAD_BYTES = 32 * 2**20
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, WHOLE_TIMEOUT_S = 5.0, 10.0, 30.0
MAX_REDIRECTS = 5
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")


def is_url(source: str) -> bool:
    """Whether the source is an http(s) URL, else it is a file."""
    return source.lower().startswith(("http://", "https://"))


def load_picture(source: str) -> NDArray[np.uint8]:
    """The picture at a path or URL, upright, uint8 (height, width, 3) in BGR order.

    Raises `SampleError`: missing, too large, too slow, or not a picture.
    """
    return decode(fetch(source) if is_url(source) else _read_file(source), source)


def fetch(url: str) -> bytes:
    """What the URL gives, at most `MAX_DOWNLOAD_BYTES` within `WHOLE_TIMEOUT_S`. Raises `SampleError`."""
    host = urlsplit(url).hostname or url
    end_s = time.monotonic() + WHOLE_TIMEOUT_S
    pieces: list[bytes] = []
    size = 0
    try:
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            headers = {"User-Agent": "sample-inference", "Accept": "image/*"}
            timeout = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
            with session.get(url, stream=True, timeout=timeout, headers=headers) as answer:
                if answer.status_code != 200:
                    raise SampleError(f"{host} answers {answer.status_code} {answer.reason} for {url}")
                for piece in answer.iter_content(64 * 1024):
                    pieces.append(piece)
                    size += len(piece)
                    if size > MAX_DOWNLOAD_BYTES:
                        raise SampleError(f"{url} is larger than {MAX_DOWNLOAD_BYTES // 2**20} MB")
                    if time.monotonic() > end_s:
                        raise SampleError(f"{url} takes longer than {WHOLE_TIMEOUT_S:.0f} s")
    except requests.Timeout:
        raise SampleError(f"{host} does not answer in time") from None
    except requests.TooManyRedirects:
        raise SampleError(f"{url} redirects more than {MAX_REDIRECTS} times") from None
    except requests.RequestException as error:
        raise SampleError(f"cannot fetch {url}: {_reason(error)}") from None
    return b"".join(pieces)


def decode(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decodes a picture; its header's size is checked before a pixel is decoded. Raises `SampleError`.

    It is turned as its EXIF data says. Of an animation the first picture counts, of one with transparency the
    colours alone; 16 bits become 8.
    """
    if not data:
        raise SampleError(f"{name} is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own word on large pictures; ours comes below
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise SampleError(f"{name} has {width} x {height} pixels; at most {MAX_PIXELS:,} are taken")
                if max(width, height) > MAX_SIDE_PX:
                    raise SampleError(f"{name} has {width} x {height} pixels; at most {MAX_SIDE_PX:,} on a side")
                upright = _eight_bits(ImageOps.exif_transpose(picture)).convert("RGB")
    except Image.DecompressionBombError:
        raise SampleError(f"{name} has too many pixels; at most {MAX_PIXELS:,} are taken") from None
    except (OSError, SyntaxError, ValueError):  # all three are what Pillow raises for broken files
        raise SampleError(f"{name} is not a picture that can be read ({', '.join(_FORMATS)})") from None
    return np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1])


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture with more than 8 bits per grey value brought to 8: Pillow itself would cut off what is brighter."""
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, np.float64))
        bits = np.clip(values * (255 if values.max() <= 1 else 1), 0, 255)
    elif picture.mode.startswith("I"):
        values = np.asarray(picture, np.float64)
        bits = np.clip(values / 256, 0, 255)
    else:
        return picture
    return Image.fromarray(bits.astype(np.uint8))


def _read_file(source: str) -> bytes:
    path = Path(source)
    try:
        if path.is_dir():
            raise SampleError(f"{source} is a folder; name one picture")
        if path.stat().st_size > MAX_DOWNLOAD_BYTES:
            raise SampleError(f"{source} is larger than {MAX_DOWNLOAD_BYTES // 2**20} MB")
        return path.read_bytes()
    except FileNotFoundError:
        raise SampleError(f"there is no file {source}") from None
    except (OSError, ValueError) as error:
        raise SampleError(f"cannot read {source}: {getattr(error, 'strerror', None) or error}") from None


def _reason(error: requests.RequestException) -> str:
    text = str(error).lower()
    for sign, meaning in (
        ("refused", "connection refused"),
        ("resolve", "unknown host"),
        ("certificate", "bad TLS certificate"),
    ):
        if sign in text:
            return meaning
    return type(error).__name__
