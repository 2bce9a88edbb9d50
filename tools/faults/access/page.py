"""The dashcam's own web page over reads whose texts are made to do harm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from edge_client.config import WebSettings
from edge_client.displays.web.archive import Archive
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.server import WebPage
from edge_client.store.drives import DriveStart
from edge_client.store.writer import SqliteReads
from edge_client.types import TrackRead
from tools.faults.fuzz.samples import drawn, encoded

START: Final = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
KEY: Final = "a page key that is not told"
SCRIPTS: Final = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    '"><svg onload="document.title=\'pwned\'">',
    "'-document.title='pwned'-'",
    "</title><script>document.title='pwned'</script>",
    "{{constructor.constructor('document.title=1')()}}",
    "javascript:document.title='pwned'//",
    "<iframe srcdoc=\"<script>parent.document.title='pwned'</script>\">",
    "<a href=\"javascript:document.title='pwned'\" autofocus onfocus=\"document.title='pwned'\">x</a>",
    "<style>*{background:url(http://127.0.0.1:1/leak)}</style>",
    "\u202egp4.exe\u0000<b>",
)
FORMULAS: Final = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", ' =HYPERLINK("http://x")')


def harmful_read(number: int, text: str) -> TrackRead:
    """A read with such a text."""
    first = START + timedelta(seconds=10 * number)
    return TrackRead(
        uid=f"uid-{number}",
        text=text,
        confidence=0.9,
        character_confidences=(0.9,) * len(text),
        first_seen=first,
        last_seen=first + timedelta(seconds=2),
        latitude_deg=45.0,
        longitude_deg=25.0,
        fix_age_s=0.5,
        crop_jpeg=encoded(drawn(48, 16), "JPEG"),
        singles=(),
        drive="drive",
    )


def write_reads(file: Path, texts: Sequence[str], source: str) -> None:
    """A reads file with these texts, of a drive from a source of that name; raises StoreError."""
    with contextlib.closing(SqliteReads(file)) as store:
        store.begin_drive(DriveStart("drive", START, source=source))
        for number, text in enumerate(texts):
            store.save(harmful_read(number, text))


@contextlib.contextmanager
def page(folder: Path, *, key: str | None = None, presses: list[bool] | None = None) -> Iterator[WebPage]:
    """The page over harmful reads, stored and live; ``presses`` takes down the button for the recording."""
    folder.mkdir(exist_ok=True)
    texts, source = (*SCRIPTS, *FORMULAS), f"{SCRIPTS[1]}.mp4"
    write_reads(folder / "reads.db", texts, source)
    board = LiveBoard(source=source)
    for number, text in enumerate(texts):
        board.add(harmful_read(number, text))

    def press() -> bool:
        (presses if presses is not None else []).append(True)
        return True

    archive = Archive(folder / "reads.db")
    made = WebPage("127.0.0.1", 0, WebSettings(), board, key=key, archive=archive, on_lock=press)
    with contextlib.closing(made):
        yield made
