"""Pictures of any kind as grey pixels: turned as their EXIF says, 16 bits brought to 8, inks and alpha to light."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tools.training.datasets.labels import is_file

MAX_PIXELS = 200_000_000
WHITE = (255, 255, 255, 255)


class PictureError(OSError):
    """A picture that cannot be used; the message says why, without the file's name."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """``image``: grey uint8 (H, W), upright; ``stored_px``: width and height in the file, before turning."""

    image: NDArray[np.uint8]
    stored_px: tuple[int, int]
    orientation: int


def read_picture(file: Path) -> Picture:
    """Decode the first frame of a picture file; raises PictureError for missing, broken, cut off or huge ones."""
    if not is_file(file):
        raise PictureError("there is no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as opened:
                return _decode(opened)
    except UnidentifiedImageError as error:
        raise PictureError("it is no picture of a known format") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(f"it has too many pixels ({error})") from error
    # Pillow's plugins raise these for broken files of their formats.
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, MemoryError) as error:
        raise PictureError(f"it is broken or cut off ({error})") from error


def _decode(opened: Image.Image) -> Picture:
    size = opened.size
    if size[0] * size[1] > MAX_PIXELS:
        raise PictureError(f"it has {size[0]} x {size[1]} pixels, more than {MAX_PIXELS}")
    orientation = orientation_of(opened)
    if opened.format == "JPEG" and opened.mode in ("RGB", "L"):
        opened.draft("L", None)  # the luma as it is stored, as the APIs take it
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    return Picture(_grey(upright), size, orientation)


def orientation_of(opened: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none."""
    orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
    return orientation if isinstance(orientation, int) else 1


def _grey(picture: Image.Image) -> NDArray[np.uint8]:
    plain = as_light(picture)
    return np.asarray(plain if plain.mode == "L" else plain.convert("RGB").convert("L"), np.uint8)


def as_light(picture: Image.Image) -> Image.Image:
    """Brings modes with more than 8 bits to 8, and what can be seen through onto white; others stay as they are."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        # Modes with more than 8 bits: as far as 16 go; pictures that hold no more than 8 stay as they are.
        values = values / 257 if values.max(initial=0) > 255 else values
        return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, WHITE), rgba)
    return picture


def turn_boxes(boxes: NDArray[np.float64], stored_px: tuple[int, int], orientation: int) -> NDArray[np.float64]:
    """Boxes (n, 4), corners in the picture as stored, moved to the upright picture (EXIF orientation 1..8)."""
    if orientation not in range(2, 9) or not len(boxes):
        return boxes
    width, height = stored_px
    x, y = boxes[:, 0::2], boxes[:, 1::2]
    turned = {
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }[orientation]
    xs, ys = (np.sort(values, axis=1) for values in turned)
    return np.stack([xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]], axis=1)
