"""Where everything stands on the in-car screen: a pure function of its size and of what there is to say.

Made for an arm's length: on the usual 5 and 7 inch screens of 800x480 pixels no text has capitals lower than
14 pixels, and what matters while driving has 25 and more (ISO 15008 asks for 16 and recommends 20 minutes of arc).
"""

from __future__ import annotations

from edge_client.displays.window_colours import Palette
from edge_client.displays.window_model import CarRead, CarStatus, point_of_compass
from edge_client.displays.window_shapes import Crop, Fill, Icon, IconName, Picture, Rect, Shape, Text
from edge_client.states import Grade, PartState

_ICONS: dict[str, IconName] = {"camera": "camera", "GPS": "gps", "network": "network", "recording": "recording"}
_SMALLEST_SCALE = 0.72
_VEILED = 0.3
_WARNINGS = 2
_PLATE_LEAST = 0.4  # a plate is never cut
_VEHICLE_LEAST = 0.8
_ASPECT = 16 / 9


def layout(size: tuple[int, int], status: CarStatus, palette: Palette) -> tuple[Shape, ...]:
    """The shapes to draw, in this order, on a screen of (width, height) pixels from 320x240 on."""
    width, height = size
    upright = width < height
    scale = max(min(width / 480, height / 800) if upright else min(width / 800, height / 480), _SMALLEST_SCALE)
    return (
        _Layout(scale, status, palette).upright(width, height)
        if upright
        else (_Layout(scale, status, palette).wide(width, height))
    )


class _Layout:
    """The parts of the screen, each as a list of shapes; `k` scales all lengths of the 800x480 drawing."""

    def __init__(self, scale: float, status: CarStatus, palette: Palette) -> None:
        self._scale = scale
        self._status = status
        self._palette = palette

    def k(self, length: float) -> int:
        return round(length * self._scale)

    def wide(self, width: int, height: int) -> tuple[Shape, ...]:
        """States above; picture over speed and place on the left, reads on the right."""
        bar, side = self.k(52), round(width * 0.33)
        left = width - side
        picture = self._picture_rect((0, bar, left, height - bar - self.k(98)))
        strip = picture[1] + picture[3]
        return (
            Fill((0, 0, width, height), self._palette.ground),
            *self._bar((0, 0, width, bar), columns=4),
            *self._reads((left, bar, side, height - bar)),
            *self._motion((0, strip, left, height - strip)),
            Fill((0, bar, left, picture[3]), (0, 0, 0)),
            *self._picture(picture),
        )

    def upright(self, width: int, height: int) -> tuple[Shape, ...]:
        """All below each other."""
        bar, motion = self.k(96), self.k(98)
        picture = self._picture_rect((0, bar, width, height // 2 - bar))
        strip = picture[1] + picture[3]
        reads = strip + motion
        return (
            Fill((0, 0, width, height), self._palette.ground),
            *self._bar((0, 0, width, bar), columns=2),
            *self._reads((0, reads, width, height - reads)),
            *self._motion((0, strip, width, motion)),
            Fill((0, bar, width, picture[3]), (0, 0, 0)),
            *self._picture(picture),
        )

    def _picture_rect(self, area: Rect) -> Rect:
        """As large as the aspect allows, at the top of the area."""
        left, top, width, height = area
        size = self._status.picture_size
        aspect = size[0] / size[1] if size else _ASPECT
        shown = min(width, round(height * aspect))
        return left + (width - shown) // 2, top, shown, min(height, max(1, round(shown / aspect)))

    def _bar(self, area: Rect, *, columns: int) -> list[Shape]:
        """Clock and states; a bad state stands on its colour."""
        left, top, width, height = area
        palette, gap, clock = self._palette, self.k(6), self.k(112)
        sure = self._status.clock_sure
        shapes: list[Shape] = [
            Text(
                (left + self.k(12), top, clock - self.k(12), height),
                self._status.clock,
                palette.text if sure else palette.bad,
                self.k(42),
            )
        ]
        parts = [part for part in self._status.parts if part.part in _ICONS]
        rows = max(1, -(-len(parts) // columns))
        chip_width, chip_height = (width - clock - gap) // columns, height // rows
        for index, part in enumerate(parts):
            x, y = left + clock + index % columns * chip_width, top + index // columns * chip_height
            shapes += self._chip((x, y + gap, chip_width - gap, chip_height - 2 * gap), part)
        return shapes

    def _chip(self, area: Rect, part: PartState) -> list[Shape]:
        left, top, width, height = area
        palette, bad = self._palette, part.grade is Grade.BAD
        colour = palette.on_bad if bad else palette.of(part.grade)
        text = palette.on_bad if bad else palette.dim if part.grade is Grade.OFF else palette.text
        side, pad = self.k(26), self.k(8)
        name: IconName = "lock" if part.word == "locked" else _ICONS[part.part]
        # As many words as there is room for; what is bad stands in full over the picture.
        words = part.detail if part.part == "network" and part.grade is Grade.OK and part.detail else part.word
        shorter = (part.part, words) if part.part == "recording" and words == "on" else (words.partition(" (")[0],)
        return [
            Fill(area, palette.bad if bad else palette.panel, self.k(9)),
            Icon((left + pad, top + (height - side) // 2, side, side), name, colour),
            Text(
                (left + pad + side + self.k(7), top, width - 2 * pad - side - self.k(5), height),
                f"{part.part} {words}",
                text,
                self.k(24),
                shorter=shorter,
            ),
        ]

    def _motion(self, area: Rect) -> list[Shape]:
        """Speed, course and place."""
        left, top, width, height = area
        status, palette = self._status, self._palette
        middle, row, x = top + height // 2, min(self.k(40), height // 2), left + self.k(8)
        lines: list[Shape] = []
        if status.speed:
            size, unit = min(round(height * 0.95), round(width * 0.235)), self.k(84)
            digits = round(size * 1.64)
            lines.append(Text((x, top, digits, height), status.speed, palette.text, size, "right"))
            x += digits + self.k(8)
            if status.course_deg is not None:
                arrow = self.k(30)
                point = (x + arrow + self.k(4), middle - row, unit - arrow - self.k(4), row)
                lines += [
                    Icon(
                        (x, middle - row + (row - arrow) // 2, arrow, arrow), "arrow", palette.text, status.course_deg
                    ),
                    Text(point, point_of_compass(status.course_deg), palette.text, self.k(30)),
                ]
            lines.append(Text((x, middle, unit, row), status.speed_unit, palette.dim, self.k(28)))
            x += unit
        x += self.k(10)
        rest = left + width - x - self.k(10)
        if not status.place:
            gps = next((part for part in status.parts if part.part == "GPS"), None)
            words = "no position" if gps is None else f"GPS {gps.word}"
            return [*lines, Text((x, top, rest, height), words, palette.note, self.k(44))]
        colour = palette.text if status.place_fresh else palette.note
        for index, line in enumerate(status.place):
            lines.append(Text((x, middle - row + index * row, rest, row), line, colour, self.k(30), "right"))
        return lines

    def _reads(self, area: Rect) -> list[Shape]:
        """The newest read with its picture, and those before it."""
        left, top, width, height = area
        palette, pad = self._palette, self.k(10)
        x, y, inner, bottom = left + pad, top + self.k(8), width - 2 * pad, top + height - self.k(4)
        shapes: list[Shape] = [Fill(area, palette.panel)]
        if not self._status.reads:
            return [*shapes, Text((x, top, inner, height), "no plate yet", palette.dim, self.k(28), "centre")]
        newest, *older = self._status.reads
        crop, plate, meta = self.k(70), self.k(66), self.k(32)
        if bottom - y >= crop + plate + meta + self.k(90):  # a low screen goes without the picture of the plate
            shapes.append(Crop((x, y, inner, crop), newest.uid, palette.brightness))
            y += crop + self.k(8)
        shapes += self._plate((x, y, inner, plate), newest)
        y += plate + self.k(2)
        sure = palette.ok if newest.sure else palette.note
        half = inner // 2
        words = newest.name or newest.percent
        shapes += [
            Text((x, y, half, meta), words, palette.alert if newest.name else sure, self.k(24)),
            Text((x + half, y, inner - half, meta), newest.age, palette.dim, self.k(24), "right"),
        ]
        y += meta + self.k(2)
        row = self.k(48)
        if newest.vehicle and bottom - y >= meta + self.k(2) + row:  # a low screen shows plates
            place, shorter = (x, y, inner, meta), (newest.vehicle_short,)
            shapes.append(Text(place, newest.vehicle, palette.text, self.k(26), shorter=shorter, least=_VEHICLE_LEAST))
            y += meta + self.k(2)
        for read in older[: max(0, (bottom - y) // row)]:
            age = self.k(76)
            colour = palette.text if read.sure else palette.note
            shapes += [
                Fill((x, y, inner, max(1, self.k(1))), palette.line),
                Text(
                    (x, y, inner - age, row),
                    read.text,
                    palette.alert if read.name else colour,
                    self.k(38),
                    least=_PLATE_LEAST,
                ),
                Text((x + inner - age, y, age, row), read.age, palette.dim, self.k(24), "right"),
            ]
            y += row
        return shapes

    def _plate(self, area: Rect, read: CarRead) -> list[Shape]:
        """The read as a plate: the largest text of the column."""
        left, top, width, height = area
        palette, edge, strip = self._palette, max(2, self.k(3)), self.k(16)
        inner = (left + edge, top + edge, width - 2 * edge, height - 2 * edge)
        colour = palette.plate_text if read.sure else palette.note
        text = (left + edge + strip + self.k(6), top, width - 2 * edge - strip - self.k(12), height)
        return [
            Fill(area, palette.plate_strip, self.k(9)),
            Fill((inner[0] + strip, inner[1], inner[2] - strip, inner[3]), palette.plate, self.k(6)),
            Text(text, read.text, colour, self.k(54), "centre", least=_PLATE_LEAST),
        ]

    def _picture(self, rect: Rect) -> list[Shape]:
        """The picture, and over it what must not be missed."""
        status, palette = self._status, self._palette
        left, top, width, height = rect
        dimmed = palette.brightness * (_VEILED if status.veil else 1.0)
        shapes: list[Shape] = [Picture(rect, dimmed, plates=not status.veil)]
        told = list(status.warnings[:_WARNINGS])
        if len(status.warnings) > _WARNINGS:
            told[-1] += f"  +{len(status.warnings) - _WARNINGS}"
        banners: list[tuple[str, IconName]] = [(words, "warning") for words in reversed(told)]
        if status.alert:
            banners.append((status.alert, "bell"))
        y, tall = top + height - self.k(6), self.k(44)
        for words, icon in banners:
            y -= tall + self.k(4)
            if status.veil and y < top + self.k(54):
                break  # the smallest screens: what is wrong with the picture goes before
            shapes += self._banner((left + self.k(6), y, width - self.k(12), tall), words, icon)
        shapes += self._veil((left, top, width, max(y - top, self.k(56))))
        if status.notice:
            shapes += self._banner(
                (left + self.k(6), top + self.k(6), width - self.k(12), self.k(56)), status.notice, "lock"
            )
        return shapes

    def _veil(self, area: Rect) -> list[Shape]:
        """What is wrong with the picture, as many lines as there is room for."""
        left, top, width, height = area
        row = self.k(54)
        lines = self._status.veil[: max(1, height // row)]
        y = top + (height - row * len(lines)) // 2
        return [
            Text(
                (left + self.k(12), y + index * row, width - self.k(24), row),
                line,
                (255, 236, 214) if index == 0 else (222, 202, 182),
                self.k(42) if index == 0 else self.k(26),
                "centre",
            )
            for index, line in enumerate(lines)
        ]

    def _banner(self, area: Rect, words: str, icon: IconName) -> list[Shape]:
        left, top, width, height = area
        palette, warning = self._palette, icon == "warning"
        ground, colour = (palette.bad, palette.on_bad) if warning else (palette.alert, palette.on_alert)
        side, pad = self.k(28), self.k(10)
        return [
            Fill(area, ground, self.k(9)),
            Icon((left + pad, top + (height - side) // 2, side, side), icon, colour),
            Text((left + 2 * pad + side, top, width - 3 * pad - side, height), words, colour, self.k(28)),
        ]
