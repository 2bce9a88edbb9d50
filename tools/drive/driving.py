"""The drive itself: film, APIs, the tunnel between, the dashcam, and what it left."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import av
import psutil
import yaml

from edge_client.errors import DashcamError
from edge_client.recording.playable import playable_s
from edge_client.store.library import ReadFilter, ReadLibrary
from tools.bench.delay_proxy import Gate, delayed
from tools.bench.device import RunError, run_dashcam
from tools.bench.scenarios import free_port
from tools.drive.film import Scenes, drive_route, passes, write_film, write_log
from tools.drive.gap import Gap, Tunnel
from tools.drive.report import Outcome, Recorded
from tools.drive.score import KeptRead, film_time_s, score
from tools.drive.watching import Watcher

ROUND_TRIP_S = 0.05


@dataclass(frozen=True, slots=True)
class DrivePlan:
    """What is driven; seconds are those of the film. `refuse` breaks connections off in the gap."""

    played: Scenes
    seconds: float
    gap: Gap | None
    round_trip_s: float = ROUND_TRIP_S
    rate_bps: float | None = None
    refuse: bool = False


def drive(plan: DrivePlan, folder: Path, apis: Callable[[], AbstractContextManager[int]]) -> Outcome:
    """Drives into that folder, in real time. `apis` gives a context whose value is the port of running APIs.

    Raises:
        RunError: the dashcam did not run to the end.
        OSError: something cannot be written.
    """
    film = write_film(plan.played, folder / "film.mp4", plan.seconds)
    seconds = film_length_s(film)
    points = drive_route(seconds)
    log = write_log(points, folder / "route.nmea")
    settings = folder / "edge.yaml"
    settings.write_text(yaml.safe_dump(_settings(folder, plan.played.length_s)), encoding="utf-8")
    page = f"127.0.0.1:{free_port()}"
    options = ("--rate", "realtime", "--config", str(settings), "--positions", str(log), "--web", page)
    gate = Gate()
    tunnel = Tunnel(gate, plan.gap, plan.played.frame_rate_hz, refuse=plan.refuse)
    watchers: list[Watcher] = []

    def watch(process: subprocess.Popen[bytes]) -> None:
        watcher = Watcher(psutil.Process(process.pid), f"http://{page}", tunnel.see)
        watchers.append(watcher)
        watcher.start()
        try:
            process.wait()
        finally:
            watcher.stop()

    with apis() as near, delayed("127.0.0.1", near, plan.round_trip_s, plan.rate_bps, gate) as port:
        run = run_dashcam(str(film), folder, port, options, watch)
    kept = kept_reads(folder / "reads.db")
    return Outcome(
        seconds=seconds,
        frame_rate_hz=plan.played.frame_rate_hz,
        summary=run.summary,
        samples=tuple(watchers[0].samples),
        gap=plan.gap,
        shut_at=tunnel.shut_at,
        opened_at=tunnel.opened_at,
        score=score(passes(plan.played, seconds), kept, points, plan.gap),
        recorded=recorded(folder / "recordings"),
        wall_s=run.wall_s,
    )


def _settings(folder: Path, round_s: float) -> dict[str, object]:
    return {
        # The same plates come again with each round: each time is to be a read of its own.
        "reading": {"passed_s": min(60.0, round_s / 2)},
        "recording": {"when": "always", "folder": str(folder / "recordings"), "reserve_gb": 0.1},
        "offline": {"folder": str(folder / "spool"), "catch_up_s": 60.0, "min_free_mb": 100},
    }


def film_length_s(film: Path) -> float:
    """Length of the film by its pictures. Raises OSError when it has none."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        if not stream.frames or not stream.average_rate:
            raise OSError(f"{film} does not tell its length")
        return float(stream.frames / stream.average_rate)


def kept_reads(file: Path) -> list[KeptRead]:
    """All reads of the list, with times in seconds of the film. Raises RunError when the list is not sound."""
    try:
        with ReadLibrary(file) as library:
            if not library.is_sound():
                raise RunError(f"{file} is damaged")
            found = library.find(ReadFilter(with_plate=True))
    except DashcamError as error:
        raise RunError(str(error)) from error
    return [
        KeptRead(r.text, film_time_s(r.first_seen), film_time_s(r.last_seen), r.latitude_deg, r.longitude_deg)
        for r in found
    ]


def recorded(folder: Path) -> Recorded:
    """What of the recording plays."""
    lengths = [playable_s(path) for path in sorted(folder.glob("*.mp4"))]
    return Recorded(len(lengths), sum(length > 0 for length in lengths), sum(lengths))
