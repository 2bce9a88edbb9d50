"""`dashcam run SOURCE`: one drive."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType

from edge_client.arenas import given_back, limit_arenas
from edge_client.commands.found import FoundReads
from edge_client.commands.outputs import name_of, open_outputs
from edge_client.commands.parser import Subcommands
from edge_client.commands.progress import Progress, progress_line
from edge_client.commands.settings import settings_of
from edge_client.commands.summary import check_summary_file, print_summary, summary_line, write_summary
from edge_client.config import EdgeSettings
from edge_client.errors import DashcamError
from edge_client.recording.button import LockButton, pressed_by_signal
from edge_client.run import run_drive
from edge_client.service.notify import ServiceManager, service_manager
from edge_client.sources.open import open_source
from edge_client.spool.location import spool_folder
from edge_client.store.drive_store import open_drive_store
from edge_client.store.location import reads_file
from edge_client.types import LiveStatus, Summary

_EPILOG = "Flags go before the settings file. Ctrl-C ends the drive in order, with everything written."


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser("run", help="run a drive", description="Run a drive.", epilog=_EPILOG)
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="video file, folder of pictures, rtsp:// or http(s):// URL, /dev/videoN, picamera[:N]",
    )
    add("--config", type=Path, metavar="FILE", help="settings (default: the shipped edge.yaml)")
    add(
        "--rate",
        choices=("realtime", "full"),
        help="play like a camera and skip late work, or infer every frame of a recording",
    )
    add("--positions", type=Path, metavar="LOG", help="NMEA log replayed beside a recording")
    add("--scale", type=float, metavar="FACTOR", help="resize each frame by this factor at once")
    add("--skip", type=int, metavar="N", help="leave out the first N frames of a recording")
    add("--every", type=int, metavar="N", help="infer only every n-th frame")
    add("--verbose", action="store_true", help="tell more about what happens")
    shown = parser.add_argument_group("displays")
    window = shown.add_mutually_exclusive_group()
    window.add_argument("--window", action="store_true", help="insist on a window")
    window.add_argument("--no-window", action="store_true", help="show no window")
    shown.add_argument("--fullscreen", action="store_true", help="open the window over the full screen")
    shown.add_argument("--web", metavar="HOST:PORT|off", help="address of the web page")
    shown.add_argument("--record", type=Path, metavar="FILE", help="write the annotated video, MP4")
    kept = parser.add_argument_group("results")
    kept.add_argument("--reads", type=Path, metavar="FILE", help="SQLite file of the reads")
    kept.add_argument(
        "--recordings", type=Path, metavar="FOLDER", help="record the original video there in segments, of files too"
    )
    kept.add_argument("--summary-json", type=Path, metavar="FILE", help="write the counters at the end")
    apis = parser.add_argument_group("prediction APIs (none named: embedded ones are started)")
    apis.add_argument("--yolov3-endpoint", metavar="URL", help="the detector")
    apis.add_argument("--crnn-endpoint", metavar="URL", help="the reader")
    apis.add_argument("--api-key-file", type=Path, metavar="FILE", help="file with the APIs' key")
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the drive that the arguments describe.

    Raises:
        DashcamError: it could not be run; the message is one line.
    """
    button = LockButton()
    with pressed_by_signal(button):  # first of all: until then the signal would end the process
        return _run(arguments, button)


def _run(arguments: argparse.Namespace, button: LockButton) -> int:
    limit_arenas()
    settings = settings_of(arguments.config, overrides(arguments))
    if arguments.summary_json is not None:
        check_summary_file(arguments.summary_json)
    with (
        Progress(sys.stderr, verbose=arguments.verbose) as progress,
        closing(service_manager()) as manager,
        _stop_on_signals(manager) as stop,
        given_back(),
    ):
        drive = _Drive(settings, arguments.source, progress, manager, button)
        try:
            summary = drive.run(stop, insist_on_window=arguments.window or arguments.fullscreen)
        except DashcamError as e:
            if e.summary is not None and arguments.summary_json is not None:
                write_summary(arguments.summary_json, e.summary)
            raise
    if arguments.summary_json is not None:
        write_summary(arguments.summary_json, summary)
    if progress.is_journal:
        print(summary_line(summary, drive.reads_path))
    else:
        print_summary(summary, drive.found.last, drive.reads_path, drive.recording, count=drive.found.count)
    return 0


class _Drive:
    """One drive with its outputs, and what it leaves for the summary."""

    def __init__(
        self,
        settings: EdgeSettings,
        source: str,
        progress: Progress,
        manager: ServiceManager,
        lock_button: LockButton,
    ) -> None:
        self._settings = settings
        self._source = source
        self._progress = progress
        self._manager = manager
        self.found = FoundReads()
        self.reads_path = reads_file(settings.reads.file)
        self.recording: str | None = None
        self._lock_button = lock_button

    def run(self, stop: threading.Event, *, insist_on_window: bool) -> Summary:
        """Opens everything, runs the drive and closes everything."""
        with ExitStack() as stack:
            source = open_source(self._source, self._settings.source)
            stack.callback(source.close)
            store = open_drive_store(self._settings, self.reads_path, name_of(self._source))
            stack.callback(store.close)
            outputs = open_outputs(
                self._settings,
                self._source,
                source,
                self.reads_path,
                insist_on_window=insist_on_window,
                lock_button=self._lock_button,
            )
            stack.pop_all()  # from here on the drive closes them

            def on_status(status: LiveStatus) -> None:
                outputs.set_status(status)
                self._progress.update(status)
                self._manager.alive(progress_line(status))

            store.listen(outputs.add_read, outputs.remove_read)
            store.listen(self.found.add, self.found.remove)
            store.on_alert(lambda read, known: self._lock_button.lock(f"alert: {known.name}"))
            summary = run_drive(
                self._settings,
                source,
                outputs.displays,
                store,
                stop,
                on_status=on_status,
                lock_button=self._lock_button,
                spool=spool_folder(self._settings.offline, self.reads_path),
            )
            self.recording = outputs.recording_text()
            return summary


def overrides(arguments: argparse.Namespace) -> dict[str, dict[str, object]]:
    """The flags as settings by section and key; only those that were given."""
    flags: dict[str, dict[str, object]] = {
        "source": {
            "rate": arguments.rate,
            "scale_video": arguments.scale,
            "frames_to_skip": arguments.skip,
        },
        "positions": {"nmea_log": arguments.positions},
        "detection": {"pick_every_nth_frame": arguments.every},
        "apis": {
            "yolov3_endpoint": arguments.yolov3_endpoint,
            "crnn_endpoint": arguments.crnn_endpoint,
            "api_key_file": arguments.api_key_file,
        },
        "window": {
            "enabled": False if arguments.no_window else True if arguments.window else None,
            "full_screen": True if arguments.fullscreen else None,
        },
        "web": {"address": arguments.web},
        "recording": {
            "folder": arguments.recordings,
            "when": None if arguments.recordings is None else "always",
        },
        "record": {"file": arguments.record},
        "reads": {"file": arguments.reads},
    }
    given = {s: {k: v for k, v in keys.items() if v is not None} for s, keys in flags.items()}
    return {section: keys for section, keys in given.items() if keys}


@contextmanager
def _stop_on_signals(manager: ServiceManager) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second one interrupts at once."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        manager.stopping()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
