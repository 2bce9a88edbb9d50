"""The whole device, killed in the middle of a drive, again and again on the same disk."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from edge_client.recording.names import SegmentName
from edge_client.recording.playable import playable_s
from edge_client.recording.track import read_track
from tools.bench.device import RunError, command
from tools.bench.scenarios import free_port
from tools.crash.film import RATE_HZ

LONGEST_START_S = 120.0
POLL_S = 0.03
LOST_S = 2.0
"""What a power cut may cost of the recording."""


@dataclass(frozen=True, slots=True)
class Kill:
    """What was found after one kill.

    Attributes:
        lived_s: seconds from the first captured frame to the kill.
        reported: reads that the page had shown as written, of this life and the last ones before it.
        missing: of these the ones that are not in the file.
        doubled: uids that are there more than once.
        sound: whether SQLite finds the whole file intact.
        recorded: whether the recording had begun in this life.
        lost_s: seconds of film from the last picture that plays to the kill, None where nothing had been recorded.
        pace: seconds of film per second of this life; below 1 the machine was too slow.
    """

    lived_s: float
    reported: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    sound: bool
    recorded: bool
    lost_s: float | None
    pace: float = 1.0

    @property
    def good(self) -> bool:
        """Whether nothing was lost that may not be."""
        cut_ok = self.lost_s <= LOST_S if self.lost_s is not None else not self.recorded
        return self.sound and not self.missing and not self.doubled and cut_ok


class Reported:
    """What the page says is written: texts by uid of the reads that it shows and has not taken back.

    It begins with the latest reads of earlier drives, which have to be there still.
    """

    def __init__(self, page: str) -> None:
        self._url = f"{page}/api/live"
        self._session = requests.Session()
        self._session.trust_env = False
        self._revision = 0
        self._name = ""
        self.texts: dict[str, str] = {}
        self.captured = 0
        self._captured_at_s = 0.0
        self._rate_hz = 0.0
        self.recording = False

    def look(self) -> bool:
        """Asks once; False when the page does not answer (yet)."""
        try:
            after = {"session": self._name, "after": str(self._revision)}
            answer = self._session.get(self._url, params=after, timeout=2.0).json()
        except (requests.RequestException, ValueError):
            return False
        self._name, self._revision = answer["session"], answer["revision"]
        self.texts |= {read["uid"]: read["text"] for read in answer["reads"]}
        for uid in answer["removed"]:
            self.texts.pop(uid, None)
        if answer["status"] is not None:
            captured = int(answer["status"]["summary"]["captured"])
            if captured != self.captured:
                self.captured, self._captured_at_s = captured, time.monotonic()
            self._rate_hz = float(answer["status"]["frame_rate_hz"])
            words = {s["part"]: s["word"] for s in answer["status"].get("states", ())}
            self.recording = bool(answer["status"].get("recorded")) and "fail" not in words.get("recording", "")
        return True

    def film_s(self, at_s: float) -> float:
        """How far the film had come by then: what the page said last, carried on at the rate of that moment."""
        return (self.captured + self._rate_hz * (at_s - self._captured_at_s)) / RATE_HZ

    def close(self) -> None:
        """Ends the connection."""
        self._session.close()


def live_and_die(
    film: Path,
    folder: Path,
    port: int,
    lives_s: float,
    *,
    config: Path | None = None,
    log: Path | None = None,
    cut: Callable[[], None] = lambda: None,
    back: Callable[[], None] = lambda: None,
) -> Kill:
    """One life: drives until the moment comes, is killed, and what is left is looked at.

    Args:
        film: what is driven.
        folder: where reads and recordings are.
        port: of the APIs on loopback.
        lives_s: from the first captured frame to the end.
        config: the device's settings, by default the shipped ones.
        log: where the device's log goes, by default into the folder.
        cut: what happens at the end, before the process is killed.
        back: what happens after that, before the folder is looked at.

    Raises:
        RunError: it ended by itself or did not start.
    """
    before = {path.name for path in (folder / "recordings").glob("*.mp4")}
    page = f"127.0.0.1:{free_port()}"
    options = ["--rate", "realtime", "--web", page, "--recordings", str(folder / "recordings")]
    options += ["--config", str(config)] if config is not None else []
    log = log or folder / "log.txt"
    with log.open("wb") as words:
        process = subprocess.Popen(
            command(str(film), folder, port, options), stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
        reported = Reported(f"http://{page}")
        try:
            began_s = _await_first_frame(process, reported, log)
            while (left_s := began_s + lives_s - time.monotonic()) > 0:
                reported.look()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(left_s, POLL_S))
                    raise RunError(f"the dashcam ended by itself with {process.returncode}: {_words(log)}")
            cut()
        finally:
            process.kill()
            killed_s = time.monotonic()
            process.wait()
            reported.close()
    back()
    missing, doubled, sound = look_at_reads(folder / "reads.db", reported.texts)
    lost_s = lost_of_recording(folder / "recordings", before, reported.film_s(killed_s))
    begun = reported.recording and reported.film_s(killed_s) > LOST_S
    pace = reported.film_s(killed_s) / max(killed_s - began_s, 1e-3)
    return Kill(killed_s - began_s, len(reported.texts), missing, doubled, sound, begun, lost_s, min(pace, 1.0))


def _await_first_frame(process: subprocess.Popen[bytes], reported: Reported, log: Path) -> float:
    deadline_s = time.monotonic() + LONGEST_START_S
    while time.monotonic() < deadline_s:
        if reported.look() and reported.captured > 0:
            return time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
            raise RunError(f"the dashcam did not start: {_words(log)}")
    raise RunError(f"the dashcam captured nothing within {LONGEST_START_S:.0f} s: {_words(log)}")


def look_at_reads(file: Path, reported: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Reported uids that are not in the file, uids that are there twice, and whether the file is intact.

    A read that another one with its text has superseded meanwhile is not missing.
    """
    sound, rows = False, list[tuple[str, str]]()
    with contextlib.closing(sqlite3.connect(file)) as connection, contextlib.suppress(sqlite3.DatabaseError):
        rows = connection.execute("SELECT uid, text FROM reads").fetchall()
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    counts, texts = Counter(uid for uid, _ in rows), {text for _, text in rows}
    missing = tuple(sorted(uid for uid, text in reported.items() if uid not in counts and text not in texts))
    return missing, tuple(sorted(uid for uid, n in counts.items() if n > 1)), sound


def lost_of_recording(folder: Path, before: set[str], film_s: float) -> float | None:
    """Seconds of film from the last picture that plays to `film_s`; None where nothing was recorded in this life.

    Times in the recording of a film are those of the film: on a machine that plays it too slowly they still tell
    what of it is there.
    """
    ends = [
        end_s
        for path in folder.glob("*.mp4")
        if path.name not in before and (end_s := recorded_until_s(folder, path)) is not None
    ]
    return max(film_s - max(ends), 0.0) if ends else None


def recorded_until_s(folder: Path, video: Path) -> float | None:
    """Second of the film up to which a segment plays; None where nothing plays."""
    segment, playable = SegmentName.parse(video.name), playable_s(video)
    head = read_track(segment.track(folder)).head if segment is not None else None
    return head.monotonic_s + playable if head is not None and playable > 0 else None


def moments(kills: int, seed: int, longest_s: float) -> list[float]:
    """How long each life lasts, at random."""
    draw = random.Random(seed)
    return [draw.uniform(0.0, longest_s) for _ in range(kills)]


def _words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "without a word"
