"""What the device makes of uplinks from narrow to wide and from near to far, with APIs that answer at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from edge_client.config import ReassemblySettings
from tools.bench.delay_proxy import delayed
from tools.bench.device import DashcamRun, run_dashcam
from tools.bench.drives import at_rate, looped, rate_of
from tools.bench.instant_apis import instant_apis

RATES_BPS: Final = (0.3e6, 1e6, 3e6, 20e6)
ROUND_TRIPS_S: Final = (0.02, 0.2, 0.8)
FRAME_RATE_HZ: Final = 30


@dataclass(frozen=True, slots=True)
class Uplink:
    """One run; `results_hz` are frames per second of film that were shown with a result of their own."""

    rate_bps: float
    round_trip_s: float
    captured: int
    lost: int
    out_of_order: int
    age_p50_s: float
    age_p99_s: float
    asked_hz: float
    results_hz: float
    sent_bps: float
    least_jpeg_quality: int
    least_in_flight: int
    plates_read: int
    plain: int


def uplinks(
    video: Path,
    folder: Path,
    *,
    seconds: float,
    rates_bps: Sequence[float] = RATES_BPS,
    round_trips_s: Sequence[float] = ROUND_TRIPS_S,
    each: Callable[[Uplink], None] = lambda _uplink: None,
) -> list[Uplink]:
    """Plays the video at 30 frames a second over each of these uplinks; `each` gets every row as it is made."""
    folder.mkdir(parents=True, exist_ok=True)
    if abs(rate_of(video) - FRAME_RATE_HZ) > 0.01:
        video = at_rate(video, folder / "at-30.mp4", FRAME_RATE_HZ)
    drive = looped(video, folder / "drive.mp4", seconds)
    rows = []
    with instant_apis() as near:
        for rate_bps in rates_bps:
            for round_trip_s in round_trips_s:
                with delayed("127.0.0.1", near, round_trip_s, rate_bps) as port:
                    run = run_dashcam(str(drive), folder, port, ("--rate", "realtime", "--web", "off"))
                rows.append(_row(run, rate_bps, round_trip_s))
                each(rows[-1])
    return rows


def bench_uplink(args: argparse.Namespace, folder: Path, console: Console, video: Path) -> dict[str, object]:
    """The table."""
    deadline_s = ReassemblySettings().deadline_s
    table = Table(title=f"--rate realtime at {FRAME_RATE_HZ} frames/s over weak uplinks, {args.seconds:g} s each")
    for heading in (
        "Mbit/s",
        "round trip",
        "lost",
        "out of order",
        "age p50",
        "age p99",
        "asked/s",
        "own results/s",
        "sent Mbit/s",
        "least quality",
        "least in flight",
        "plates read",
    ):
        table.add_column(heading, justify="right")

    def add(row: Uplink) -> None:
        cells = (f"{row.rate_bps / 1e6:g}", f"{1000 * row.round_trip_s:.0f} ms", str(row.lost), str(row.out_of_order))
        ages = (f"{row.age_p50_s:.2f} s", f"{row.age_p99_s:.2f} s", f"{row.asked_hz:.1f}", f"{row.results_hz:.1f}")
        ends = (f"{row.sent_bps / 1e6:.2f}", row.least_jpeg_quality, row.least_in_flight, row.plates_read)
        table.add_row(*cells, *ages, *map(str, ends))
        console.print(f"{cells[0]} Mbit/s, {cells[1]}: age p99 {ages[1]}, lost {row.lost}")

    rows = uplinks(video, folder, seconds=args.seconds, each=add)
    table.caption = f"deadline of the display {deadline_s:g} s; the APIs answer at once, without a model"
    console.print(table)
    return {"deadline_s": deadline_s, "rows": [asdict(row) for row in rows]}


def _row(run: DashcamRun, rate_bps: float, round_trip_s: float) -> Uplink:
    summary = run.summary
    film_s = summary["captured"] / FRAME_RATE_HZ
    return Uplink(
        rate_bps=rate_bps,
        round_trip_s=round_trip_s,
        captured=summary["captured"],
        lost=run.lost,
        out_of_order=summary["out_of_order"],
        age_p50_s=summary["frame_age_s"]["p50"],
        age_p99_s=summary["frame_age_s"]["p99"],
        asked_hz=summary["requests"]["yolov3"]["sent"] / film_s,
        results_hz=summary["shown"]["annotated"] / film_s,
        sent_bps=8 * summary["uplink"]["sent_bytes"] / film_s,
        least_jpeg_quality=summary["uplink"]["least_jpeg_quality"],
        least_in_flight=summary["uplink"]["least_in_flight"],
        plates_read=summary["reads"],
        plain=summary["shown"]["plain"],
    )
