"""What the drive shows: every plate with its boxes, as JSON and as CSV."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in frame pixels."""


@dataclass(frozen=True, slots=True)
class PlateTruth:
    """One plate; ``boxes`` maps frame numbers (from 0) to the box where at least 80 % of it is to be seen."""

    text: str
    country: str
    boxes: dict[int, Box] = field(default_factory=dict)

    @property
    def largest_width_px(self) -> float:
        """The width of its widest box."""
        return max((b[2] - b[0] for b in self.boxes.values()), default=0.0)


@dataclass(frozen=True, slots=True)
class DriveTruth:
    """A drive's size in frames and pixels, and its plates in the order in which they appear."""

    frames: int
    frame_rate_hz: float
    width_px: int
    height_px: int
    seed: int
    plates: tuple[PlateTruth, ...]


def write_truth(truth: DriveTruth, folder: Path) -> None:
    """Writes truth.json (all boxes) and truth.csv (a line per plate) into ``folder``."""
    plates = [
        {
            "text": p.text,
            "country": p.country,
            "first_frame": min(p.boxes),
            "last_frame": max(p.boxes),
            "largest_width_px": round(p.largest_width_px, 1),
            "boxes": {str(n): [round(v, 1) for v in b] for n, b in sorted(p.boxes.items())},
        }
        for p in truth.plates
    ]
    head = {
        "frames": truth.frames,
        "frame_rate_hz": truth.frame_rate_hz,
        "width_px": truth.width_px,
        "height_px": truth.height_px,
        "seed": truth.seed,
    }
    (folder / "truth.json").write_text(json.dumps({**head, "plates": plates}, indent=1) + "\n", encoding="utf-8")
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("text", "country", "first_frame", "last_frame", "frames", "largest_width_px"))
        for p in truth.plates:
            rows.writerow((p.text, p.country, min(p.boxes), max(p.boxes), len(p.boxes), round(p.largest_width_px, 1)))


def load_truth(path: Path) -> DriveTruth:
    """Reads truth.json; raises ValueError when it is not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        plates = tuple(
            PlateTruth(
                str(p["text"]),
                str(p["country"]),
                {int(n): (float(b[0]), float(b[1]), float(b[2]), float(b[3])) for n, b in p["boxes"].items()},
            )
            for p in data["plates"]
        )
        return DriveTruth(
            int(data["frames"]),
            float(data["frame_rate_hz"]),
            int(data["width_px"]),
            int(data["height_px"]),
            int(data["seed"]),
            plates,
        )
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise ValueError(f"{path} is not the truth of a demo drive: {error}") from error
