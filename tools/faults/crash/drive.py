"""A whole drive, with its reads and recordings on a disk that is broken in the middle of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from tools.bench.device import RunError, command
from tools.bench.instant_apis import instant_apis
from tools.bench.scenarios import free_port
from tools.crash.cli import GAP_S, PASSING_S
from tools.crash.device import Reported, look_at_reads
from tools.crash.film import RATE_HZ, write_film
from tools.drive.watching import Sample, Watcher
from tools.faults.row import Row

SECONDS, BREAKS_S, MENDED_S = 24.0, 5.0, 8.0
_LOOK_S = 0.1
_LONGEST_S = 120.0
_MOST_BYTES = 40 * 10**6


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of it.

    Attributes:
        code: the dashcam's exit status.
        last_words: the last line of its log.
        summary: its counters, as `--summary-json` has them.
        before: reads that the page had shown when the disk broke, texts by uid.
        failing: what the page said of the recording while the disk was broken.
        recording: what it said of it last.
    """

    code: int
    last_words: str
    summary: dict[str, Any]
    before: dict[str, str]
    failing: str
    recording: str


class _Fate:
    """Breaks the disk and mends it, by the frames captured."""

    def __init__(self, reported: Reported, breaks: Callable[[], object], mends: Callable[[], object] | None) -> None:
        self._reported = reported
        self._breaks = breaks
        self._mends = mends
        self.before: dict[str, str] | None = None
        self.failing = self.recording = ""

    def see(self, sample: Sample) -> None:
        film_s = sample.captured / RATE_HZ
        self.recording = sample.states.get("recording", "")
        if self.before is None:
            if film_s >= BREAKS_S:
                self.before = dict(self._reported.texts)
                self._breaks()
            return
        if "fail" in self.recording:
            self.failing = self.recording
        if self._mends is not None and self.failing and film_s >= MENDED_S:  # on a slow machine it shows late
            self._mends()
            self._mends = None


def small_settings(folder: Path) -> Path:
    """Settings of the device for a disk of some ten megabytes."""
    file = folder / "edge.yaml"
    content = {"recording": {"reserve_gb": 0, "max_gb": _MOST_BYTES / 10**9, "segment_s": 10}, "offline": "off"}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def drive_on(
    folder: Path, disk: Path, breaks: Callable[[], object], mends: Callable[[], object] | None = None
) -> Driven:
    """Drives; all but reads and recordings is kept in ``folder``. Raises RunError when the drive does not end."""
    page = f"127.0.0.1:{free_port()}"
    options = ["--rate", "realtime", "--web", page, "--recordings", str(disk / "recordings")]
    options += ["--config", str(small_settings(folder)), "--summary-json", str(folder / "summary.json")]
    log = folder / "log.txt"
    with instant_apis(PASSING_S, GAP_S) as port, log.open("wb") as words:
        film = write_film(folder / "film.mp4", SECONDS)
        process = subprocess.Popen(
            command(str(film), disk, port, options), stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
        reported = Reported(f"http://{page}")
        fate = _Fate(reported, breaks, mends)
        watcher = Watcher(psutil.Process(process.pid), f"http://{page}", fate.see)
        watcher.start()
        try:
            code = _watched(process, reported)
        finally:
            process.kill()
            process.wait()
            watcher.stop()
            reported.close()
    if fate.before is None:
        raise RunError(f"the drive ended before the disk broke: {_last(log)}")
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return Driven(code, _last(log), summary, fate.before, fate.failing, fate.recording)


def row_of_drive(fault: str, driven: Driven, disk: Path, *, recovers: bool) -> Row:
    """Whether the drive went on as it should, and what the disk holds."""
    missing, doubled, sound = look_at_reads(disk / "reads.db", driven.before)
    shown = sum(driven.summary["shown"].values())
    lost = driven.summary["captured"] - shown
    measured = (
        f"{driven.summary['captured']} frames captured, {lost} not shown; recording: “{driven.failing}”, in the end "
        f"“{driven.recording}”; file {'intact' if sound else 'damaged'}, {len(driven.before)} reads confirmed, "
        f"{len(missing)} missing, {len(doubled)} twice; ends with {driven.code}"
    )
    ended = driven.code == 0 if recovers else "could not be written" in driven.last_words or driven.code == 0
    back = "fail" not in driven.recording if recovers else True
    good = sound and not missing and not doubled and lost == 0 and bool(driven.failing) and ended and back
    promised = "every frame shown, the recording's failure said, confirmed reads there once" + (
        ", recording again in the end" if recovers else ""
    )
    return Row(fault, promised, measured, good)


def _watched(process: subprocess.Popen[bytes], reported: Reported) -> int:
    end_s = time.monotonic() + _LONGEST_S
    while time.monotonic() < end_s:
        reported.look()
        try:
            return process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            continue
    raise RunError(f"the drive did not end within {_LONGEST_S:g} s")


def _last(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "without a word"
