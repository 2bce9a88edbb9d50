"""What the in-car view is drawn of. Rectangles are (left, top, width, height) in pixels of the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_client.displays.window_colours import Colour

Rect = tuple[int, int, int, int]
IconName = Literal["camera", "gps", "network", "recording", "lock", "arrow", "bell", "warning"]


@dataclass(frozen=True, slots=True)
class Fill:
    """A rectangle with rounded corners."""

    rect: Rect
    colour: Colour
    radius_px: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """One line, centred in the height of its rectangle; ``size_px`` is the em, capitals are 0.7 of it.

    A line that is too long for its rectangle gives way to the first of the ``shorter`` ones that fits; the last of
    them gets smaller, down to ``least`` of its size, and is then cut with an ellipsis.
    """

    rect: Rect
    text: str
    colour: Colour
    size_px: int
    align: Literal["left", "centre", "right"] = "left"
    shorter: tuple[str, ...] = ()
    least: float = 0.75


@dataclass(frozen=True, slots=True)
class Icon:
    """A sign; ``turn_deg`` turns it clockwise."""

    rect: Rect
    name: IconName
    colour: Colour
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """The live picture, of exactly this size; ``brightness`` in 0..1 dims it; ``plates`` are drawn or not."""

    rect: Rect
    brightness: float = 1.0
    plates: bool = True


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture of a read's plate, fitted into the rectangle."""

    rect: Rect
    uid: str
    brightness: float = 1.0


Shape = Fill | Text | Icon | Picture | Crop
