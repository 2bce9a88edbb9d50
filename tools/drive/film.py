"""The drive's film: demo films one after the other, again and again, with one route under all of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tools.bench.drives import joined
from tools.demo.cli import main as demo
from tools.demo.route import RoutePoint, nmea, route
from tools.demo.score import is_readable
from tools.demo.truth import DriveTruth, load_truth

MADE_BY = "drive.json"


@dataclass(frozen=True, slots=True)
class Pass:
    """One plate passing by once, in seconds of the film."""

    text: str
    start_s: float
    end_s: float
    readable: bool


@dataclass(frozen=True, slots=True)
class Scenes:
    """Films of one size and rate with their truths, to be shown one after the other; lengths in seconds."""

    videos: tuple[Path, ...]
    truths: tuple[DriveTruth, ...]

    @property
    def length_s(self) -> float:
        """All of them once."""
        return sum(t.frames / t.frame_rate_hz for t in self.truths)

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second of each."""
        return self.truths[0].frame_rate_hz


def rendered(folder: Path, seeds: Sequence[int], seconds: float) -> Scenes:
    """The demo films of these seeds, rendered where they are not there from last time. Raises OSError."""
    places = []
    for seed in seeds:
        place = folder / f"seed{seed}"
        wanted = {"seed": seed, "seconds": seconds}
        made = place / MADE_BY
        if not made.is_file() or json.loads(made.read_text(encoding="utf-8")) != wanted:
            if demo(["render", "--out", str(place), "--seed", str(seed), "--seconds", f"{seconds:g}"]) != 0:
                raise OSError(f"the film of seed {seed} could not be rendered")
            made.write_text(json.dumps(wanted), encoding="utf-8")
        places.append(place)
    return scenes(places)


def scenes(places: Sequence[Path]) -> Scenes:
    """Films that are there: folders with `drive.mp4` and `truth.json`. Raises OSError and ValueError."""
    videos = [place / "drive.mp4" for place in places]
    truths = [load_truth(place / "truth.json") for place in places]
    if len({(t.frame_rate_hz, t.width_px, t.height_px) for t in truths}) != 1:
        raise OSError("the films differ in size or rate")
    return Scenes(tuple(videos), tuple(truths))


def write_film(played: Scenes, target: Path, seconds: float) -> Path:
    """All scenes in turn until the film is that long; pictures are copied, not encoded anew."""
    return joined(cycle(played.videos), target, seconds)


def passes(played: Scenes, seconds: float) -> list[Pass]:
    """Every plate that passes by wholly within so many seconds, in the order of their coming."""
    found: list[Pass] = []
    start_s = 0.0
    while start_s < seconds:
        for truth in played.truths:
            rate = truth.frame_rate_hz
            for plate in truth.plates:
                first, last = min(plate.boxes) / rate, (max(plate.boxes) + 1) / rate
                readable = is_readable(plate, truth.width_px)
                found.append(Pass(plate.text, start_s + first, start_s + last, readable))
            start_s += truth.frames / rate
    return sorted((p for p in found if p.end_s <= seconds), key=lambda p: p.start_s)


def drive_route(seconds: float) -> list[RoutePoint]:
    """Once a second where the car is: through a town, between 8 and 20 m/s, round gentle bends."""
    times = [float(t) for t in range(math.ceil(seconds) + 2)]
    speeds = [14 + 6 * math.sin(t / 17) for t in times]
    headings = [0.9 * math.sin(t / 41) + 0.3 * math.sin(t / 13) for t in times]
    return route(times, speeds, headings)


def write_log(points: Sequence[RoutePoint], target: Path) -> Path:
    """The route as a receiver logs it."""
    target.write_text(nmea(points), encoding="ascii", newline="")
    return target
