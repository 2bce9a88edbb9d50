"""The fonts of the plates: Barlow and Overpass, both under the SIL Open Font License, from their packages."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PIL import ImageFont

_FILES = {
    "euro": ("fontpkg_barlow_semi_condensed", "BarlowSemiCondensed-SemiBold.ttf"),
    "wide": ("fontpkg_barlow", "Barlow-SemiBold.ttf"),
    "bold": ("fontpkg_barlow", "Barlow-Bold.ttf"),
    "road": ("fontpkg_overpass", "Overpass[wght].ttf"),
}


@cache
def font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    """The named face at this size.

    Raises ModuleNotFoundError when the package is missing (the ``tools`` extra brings it).
    """
    package, file = _FILES[name]
    face = ImageFont.truetype(str(files(package) / "files" / file), size_px)
    if name == "road":
        face.set_variation_by_axes([650])
    return face
