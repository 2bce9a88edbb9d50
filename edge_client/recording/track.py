"""The sidecar of a segment: JSON lines that say whose it is, when and where it was taken, and how it ended.

The first line is the head, the last one of a segment that ended in order is the end, those between are points.
Each is written once and never changed, so a cut costs the last line at most, which `read_track` leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge_client.types import Fix, UtcSource


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and place of a frame that is being recorded."""

    monotonic_s: float
    utc: datetime
    utc_source: UtcSource
    fix: Fix | None = None
    fix_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What is known when a segment begins; ``monotonic_s`` is the capture time of its first frame, ``slept_s`` what
    the machine had slept by then, which that clock leaves out.
    """

    drive: str
    utc: datetime
    utc_source: UtcSource
    monotonic_s: float
    width_px: int
    height_px: int
    frame_rate_hz: float
    codec: str
    slept_s: float = 0.0

    @property
    def running_s(self) -> float:
        """The capture time by a clock that sleep does not stop."""
        return self.monotonic_s + self.slept_s


@dataclass(frozen=True, slots=True)
class Point:
    """Time and place of the frame ``t_s`` seconds into the segment; degrees are WGS 84, None without a fix."""

    t_s: float
    utc: datetime
    utc_source: UtcSource
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    fix_age_s: float | None = None

    @classmethod
    def of(cls, moment: Moment, start_s: float) -> Point:
        """The point of a moment in a segment that began at ``start_s``."""
        t_s, fix = moment.monotonic_s - start_s, moment.fix
        if fix is None:
            return cls(t_s, moment.utc, moment.utc_source)
        return cls(
            t_s,
            moment.utc,
            moment.utc_source,
            fix.latitude_deg,
            fix.longitude_deg,
            fix.speed_mps,
            fix.course_deg,
            moment.fix_age_s,
        )


CUT = "cut"
"""Why a segment ended that was found unfinished later."""
ORDERLY = ("length", "format", "end")
"""Why segments end when all is well."""
_TAIL_BYTES = 1024


@dataclass(frozen=True, slots=True)
class End:
    """How the end came: ``why`` is length, format, end, cut, or what failed."""

    duration_s: float
    frames: int
    why: str


@dataclass(frozen=True, slots=True)
class Track:
    """A sidecar as far as it could be read; without an end the segment was cut, or is being written."""

    head: Head | None
    points: tuple[Point, ...]
    end: End | None


def line_of(entry: Head | Point | End) -> str:
    """One line of the sidecar, with its line feed; unknown values are left out."""
    values = {key: value for key, value in asdict(entry).items() if value is not None}
    for key, value in values.items():
        if isinstance(value, datetime):
            values[key] = value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        elif isinstance(value, float):
            values[key] = round(value, 7)
    return json.dumps({"kind": type(entry).__name__.lower(), **values}) + "\n"


def read_track(path: Path) -> Track:
    """Reads a sidecar; lines that are cut or make no sense are left out, a missing file has none.

    Raises:
        OSError: the file is there but cannot be read.
    """
    head: Head | None = None
    end: End | None = None
    points: list[Point] = []
    for entry in _entries(path):
        match entry:
            case Head():
                head = head or entry
            case Point():
                points.append(entry)
            case End():
                end = entry
    return Track(head, tuple(points), end)


def ends_in_order(path: Path) -> bool:
    """Whether the last line of a sidecar is an end; reads no more than that line.

    Raises:
        OSError: it is there but cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _TAIL_BYTES, 0))
            last = file.read().decode("utf-8", errors="replace").rstrip("\n").rpartition("\n")[2]
    except FileNotFoundError:
        return False
    return isinstance(_parsed(last), End)


def _entries(path: Path) -> Iterator[Head | Point | End]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        entry = _parsed(line)
        if entry is not None:
            yield entry


def _parsed(line: str) -> Head | Point | End | None:
    """A line's entry; None when it is cut or makes no sense."""
    try:
        values = json.loads(line)
        return _entry(values) if isinstance(values, dict) else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _entry(values: dict[str, object]) -> Head | Point | End | None:
    kind = values.pop("kind")
    if "utc" in values:
        values["utc"] = datetime.fromisoformat(str(values["utc"])).astimezone(UTC)
    if "utc_source" in values:
        values["utc_source"] = UtcSource(str(values["utc_source"]))
    for key, value in values.items():
        if key.endswith(("_s", "_deg", "_mps", "_hz")):
            values[key] = float(str(value))
        elif key in {"frames", "width_px", "height_px"}:
            values[key] = int(str(value))
    match kind:
        case "head":
            return Head(**values)  # type: ignore[arg-type]
        case "point":
            return Point(**values)  # type: ignore[arg-type]
        case "end":
            return End(**values)  # type: ignore[arg-type]
    return None


def start_of(track: Track) -> tuple[datetime, UtcSource] | None:
    """When the first frame was taken, by the best clock that the track knows: a point with a confirmed time,
    counted back, goes before a head with an unconfirmed one. None without a head.
    """
    if track.head is None:
        return None
    if track.head.utc_source is UtcSource.SYSTEM:
        for point in track.points:
            if point.utc_source is not UtcSource.SYSTEM:
                return point.utc - timedelta(seconds=point.t_s), point.utc_source
    return track.head.utc, track.head.utc_source
