"""`dashcam recordings list|show|lock|unlock`: the original video in its segments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_client.commands.parser import Subcommands
from edge_client.commands.settings import settings_of
from edge_client.errors import RecordingError
from edge_client.overlay import position_text
from edge_client.recording.library import Recording, length_m, recordings_in
from edge_client.recording.location import default_recordings_folder
from edge_client.recording.locks import lock_segment, unlock_segment
from edge_client.recording.names import SegmentName
from edge_client.recording.playable import playable_s
from edge_client.recording.stock import stock_of
from edge_client.recording.track import Point
from edge_client.types import UtcSource

_NONE = "there are no recordings"
_NUMBER_HELP = "as `list` shows it, or last: the newest"
_LAST = -1
_LONGEST_NUMBER = 30


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser(
        "recordings", help="list and lock the recorded video", description="The original video in its segments."
    )
    actions = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = actions.add_parser("list", help="list segments, oldest first")
    listing.add_argument("--locked", action="store_true", help="only locked ones")
    listing.add_argument("--drive", metavar="UID", help="only those of this drive; its first characters do")
    listing.set_defaults(function=list_recordings)
    show = actions.add_parser("show", help="show one segment, and whether it plays")
    show.add_argument("number", type=_number, metavar="NUMBER", help=_NUMBER_HELP)
    show.set_defaults(function=show_recording)
    lock = actions.add_parser("lock", help="keep segments for good")
    lock.add_argument("--reason", default="command", metavar="TEXT", help="what `show` says of it")
    lock.set_defaults(function=lock_recordings)
    unlock = actions.add_parser("unlock", help="let segments be removed when room is needed")
    unlock.set_defaults(function=unlock_recordings)
    for action in (lock, unlock):
        action.add_argument("numbers", type=_number, nargs="+", metavar="NUMBER", help=_NUMBER_HELP)
    for action in (listing, show, lock, unlock):
        action.add_argument("--folder", type=Path, metavar="FOLDER", help="the folder of the recordings")
        action.add_argument("--config", type=Path, metavar="FILE", help="settings that name the folder")


def list_recordings(arguments: argparse.Namespace) -> int:
    """Prints a table of segments."""
    folder = _folder(arguments)
    everything = _scan(folder)
    found = [
        r
        for r in everything
        if (not arguments.locked or r.lock is not None)
        and (arguments.drive is None or r.drive.startswith(arguments.drive))
    ]
    if not found:
        print("no recordings fit" if everything else f"{_NONE} in {folder}")
        return 0
    table = Table()
    table.add_column("number", justify="right")
    table.add_column("drive")
    table.add_column("start (UTC)")
    table.add_column("length", justify="right")
    table.add_column("size", justify="right")
    table.add_column("locked")
    table.add_column("track", justify="right")
    table.add_column("state")
    for recording in found:
        table.add_row(
            str(recording.name.number),
            recording.drive[:8] or "-",
            _start(recording),
            f"{recording.duration_s:.0f} s",
            _size(recording.size_bytes),
            Text(_lock(recording)),
            _distance(recording),
            _state(recording),
        )
    _console().print(table)
    locked = [r for r in everything if r.lock is not None]
    total = _size(sum(r.size_bytes for r in everything))
    print(
        f"{len(everything)} segments, {total}, of which {_size(sum(r.size_bytes for r in locked))} are locked: {folder}"
    )
    return 0


def show_recording(arguments: argparse.Namespace) -> int:
    """Prints all that is known of one segment, after playing it through."""
    folder = _folder(arguments)
    found = {r.name.number: r for r in _scan(folder)}
    recording = found.get(_meant(arguments.number, found))
    if recording is None:
        raise RecordingError(_unknown(arguments.number, folder))
    head, end, places = recording.track.head, recording.track.end, recording.places
    try:
        plays = f"{playable_s(recording.video):.1f} s"
    except OSError as error:
        plays = f"no: {error.strerror}"
    rows = {
        "video": str(recording.video),
        "drive": recording.drive or "-",
        "start": f"{_start(recording)} UTC, told by {_SOURCES[recording.start_source]}",
        "length": f"{recording.duration_s:.1f} s",
        "plays": plays,
        "frames": "-" if end is None else str(end.frames),
        "picture": "-" if head is None else f"{head.width_px}x{head.height_px}, {head.codec}",
        "size": _size(recording.size_bytes),
        "locked": _lock(recording),
        "ended": "still open" if recording.open else "cut off" if recording.cut or end is None else end.why,
        "track": f"{len(places)} positions, {_distance(recording)}",
        "from": _place(places[:1]),
        "to": _place(places[-1:]),
    }
    table = Table(show_header=False)
    for name, value in rows.items():
        table.add_row(name, Text(value))
    _console().print(table)
    return 0


def lock_recordings(arguments: argparse.Namespace) -> int:
    """Locks segments; one that is locked stays so."""

    def lock(folder: Path, name: SegmentName) -> str:
        lock_segment(folder, name, arguments.reason)
        return "is locked"

    return _change(arguments, lock)


def unlock_recordings(arguments: argparse.Namespace) -> int:
    """Unlocks segments."""

    def unlock(folder: Path, name: SegmentName) -> str:
        return "is no longer locked" if unlock_segment(folder, name) else "was not locked"

    return _change(arguments, unlock)


def _change(arguments: argparse.Namespace, change: Callable[[Path, SegmentName], str]) -> int:
    """Changes all named segments, or none when one of them is unknown."""
    folder = _folder(arguments)
    try:
        names = {item.name.number: item.name for item in stock_of(folder)} if folder.is_dir() else {}
        numbers = [_meant(number, names) for number in arguments.numbers]
        for number in numbers:
            if number not in names:
                raise RecordingError(_unknown(number, folder))
        for number in dict.fromkeys(numbers):
            print(f"{number} {change(folder, names[number])}")
    except OSError as error:
        raise RecordingError(f"cannot change the recordings in {folder}: {error.strerror}") from None
    return 0


def _scan(folder: Path) -> list[Recording]:
    try:
        return recordings_in(folder)
    except OSError as error:
        raise RecordingError(f"cannot read the recordings in {folder}: {error.strerror}") from None


def _folder(arguments: argparse.Namespace) -> Path:
    named: Path | None = arguments.folder
    return named or settings_of(arguments.config).recording.folder or default_recordings_folder()


def _number(text: str) -> int:
    if text.strip().lower() == "last":
        return _LAST
    if not text.isascii() or not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is no number of a recording, nor last")
    return int(text)


def _meant(number: int, there: Collection[int]) -> int:
    return max(there, default=_LAST) if number == _LAST else number


def _unknown(number: int, folder: Path) -> str:
    if number == _LAST:
        return f"{_NONE} in {folder}"
    return f"there is no recording {number} in {folder}; `dashcam recordings list` shows them"


_SOURCES = {
    UtcSource.GPS: "GPS",
    UtcSource.SYSTEM: "the system's clock alone",
    UtcSource.RECORDING: "the log beside the recording",
}


def _start(recording: Recording) -> str:
    if recording.start is None:
        return "-"
    unsure = "?" if recording.start_source is UtcSource.SYSTEM else ""
    return f"{recording.start:%Y-%m-%d %H:%M:%S}{unsure}"


def _size(size_bytes: int) -> str:
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.2f} GB"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def _lock(recording: Recording) -> str:
    return "" if recording.lock is None else recording.lock or "yes"


def _distance(recording: Recording) -> str:
    return f"{length_m(recording.places) / 1000:.2f} km" if recording.places else "-"


def _state(recording: Recording) -> str:
    return "recording" if recording.open else "cut off" if recording.cut else ""


def _place(places: Sequence[Point]) -> str:
    for place in places:
        if place.latitude_deg is not None and place.longitude_deg is not None:
            return position_text(place.latitude_deg, place.longitude_deg)
    return "-"


def _console() -> Console:
    """As wide as the terminal; wide enough for all columns where the output is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=120)
