"""Opens the displays that the settings ask for."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge_client.config import EdgeSettings, RecordSettings, WebSettings
from edge_client.displays.video import VideoRecorder
from edge_client.displays.web.access import load_key, parse_address
from edge_client.displays.web.archive import Archive
from edge_client.displays.web.board import LiveBoard
from edge_client.displays.web.server import WebPage
from edge_client.displays.window_screen import has_screen
from edge_client.errors import ConfigError, DisplayError, StoreError
from edge_client.recording.button import LockButton
from edge_client.store.secrecy import secret_of
from edge_client.types import Display, FrameSource, LiveStatus, TrackRead

if TYPE_CHECKING:
    from edge_client.displays.window import Window

_LOG = logging.getLogger(__name__)


class Outputs:
    """The displays of a drive, and what they show beside the picture."""

    def __init__(self, board: LiveBoard) -> None:
        """`board` is what the page shows, whether there is a page or not."""
        self._board = board
        self._recorder: VideoRecorder | None = None
        self._window: Window | None = None
        self._displays: list[Display] = []

    @property
    def displays(self) -> Sequence[Display]:
        """The displays that are open."""
        return tuple(self._displays)

    def add(self, display: Display) -> None:
        """One more display."""
        self._displays.append(display)
        if isinstance(display, VideoRecorder):
            self._recorder = display

    def add_window(self, window: Window) -> None:
        """The window, which is told of reads and of how the drive goes."""
        self.add(window)
        self._window = window

    def set_status(self, status: LiveStatus) -> None:
        """Tells page and window how the drive goes."""
        self._board.set_status(status, self.recording_text())
        if self._window is not None:
            self._window.set_status(status)

    def add_read(self, read: TrackRead) -> None:
        """Tells page and window of a read."""
        self._board.add(read)
        if self._window is not None:
            self._window.add_read(read)

    def remove_read(self, uid: str) -> None:
        """Tells page and window that a read is not to be shown after all."""
        self._board.remove(uid)
        if self._window is not None:
            self._window.remove_read(uid)

    def recording_text(self) -> str | None:
        """How the recording goes, in a few words; None without one."""
        recorder = self._recorder
        if recorder is None:
            return None
        if recorder.failure is not None:
            lost = f"{recorder.frames_lost} frames are not in it"
            return f"ended after {recorder.frames_written} frames: {recorder.failure}; {lost}"
        return f"on: {recorder.frames_written} frames in {recorder.path.name}"

    def close(self) -> None:
        """Closes what was opened; for when the drive does not even begin."""
        for display in self._displays:
            display.close()


def open_outputs(
    settings: EdgeSettings,
    name: str,
    source: FrameSource,
    reads_path: Path,
    *,
    insist_on_window: bool,
    lock_button: LockButton | None = None,
) -> Outputs:
    """Opens the recording, the page and the window, as far as they are wanted.

    Args:
        settings: what is wanted.
        name: what the user called the source.
        source: the open source; its frame rate is the recording's.
        reads_path: the open reads file, whose latest reads the page begins with.
        insist_on_window: a window that cannot be opened is an error, not a note.
        lock_button: locks the recorded segment; window and page press it.

    Raises:
        DashcamError: one of them cannot be opened; the others are closed again.
    """
    board = LiveBoard(source=name_of(name))
    outputs = Outputs(board)
    try:
        if settings.record.file is not None:
            outputs.add(_open_recorder(settings.record, name, source, settings.record.file))
        if settings.web.address.strip().lower() != "off":
            _fill(board, reads_path)
            archive = Archive(reads_path, secret_of(settings.reads.hash_key_file))
            outputs.add(_open_page(settings.web, board, archive, lock_button))
        if settings.window.enabled and (window := _open_window(settings, insist_on_window, lock_button)):
            outputs.add_window(window)
    except BaseException:
        outputs.close()
        raise
    return outputs


def _open_recorder(settings: RecordSettings, name: str, source: FrameSource, file: Path) -> VideoRecorder:
    if _is_same(file, name):
        raise ConfigError(f"the recording would overwrite its own source {file}; name another file: --record FILE")
    return VideoRecorder(file, settings, source.frame_rate_hz, live=source.live)


def _is_same(file: Path, name: str) -> bool:
    try:
        return file.samefile(name)
    except OSError:  # one of them is not there, or a URL
        return False


def _fill(board: LiveBoard, reads_path: Path) -> None:
    """The page begins with the latest reads; a file that cannot be read now ends no drive."""
    try:
        board.fill_from(reads_path)
    except StoreError as e:
        _LOG.warning("the page begins without earlier reads: %s", e)


def _open_page(settings: WebSettings, board: LiveBoard, archive: Archive, lock_button: LockButton | None) -> WebPage:
    host, port = parse_address(settings.address)
    # The port that nobody named may be exchanged for a free one.
    by_default = settings.address == WebSettings.model_fields["address"].default
    key = load_key(os.environ, settings.key_file)
    on_lock = None if lock_button is None else partial(lock_button.lock, "web page")
    page = WebPage(host, port, settings, board, key=key, another_port=by_default, archive=archive, on_lock=on_lock)
    if page.port_was_taken:
        _LOG.info("port %d is taken; the web page has another one", port)
    _LOG.info("the web page is at %s", page.url)
    return page


def _open_window(settings: EdgeSettings, insist: bool, lock_button: LockButton | None) -> Window | None:
    if not insist and not has_screen(os.environ, full_screen=settings.window.full_screen):
        _LOG.info("there is no screen here, so no window is shown")
        return None
    from edge_client.displays.window import Window  # noqa: PLC0415 - SDL's 6 MB, only where there is a screen

    try:
        hide_crops = settings.privacy.blur in ("shown", "both")
        on_lock = None if lock_button is None else partial(_lock_by_touch, lock_button)
        return Window(settings.window, on_lock=on_lock, hide_crops=hide_crops)
    except DisplayError as e:
        if insist:
            raise
        _LOG.warning("%s", e)
        return None


def _lock_by_touch(button: LockButton) -> str:
    return "this recording is kept" if button.lock("touch") else "nothing is recorded"


def name_of(source: str) -> str:
    """What the page calls the source: no folders, and no password of a stream's address."""
    if "://" in source:
        scheme, _, rest = source.partition("://")
        host = rest.split("/", 1)[0].rpartition("@")[2]
        return f"{scheme}://{host}"
    return Path(source).name or source
