"""Step `repair`: sorts out pictures that are broken, empty, of one colour, too small, or there already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from tools.dataset.duplicates import Alike, sort_out_alike, sort_out_exact
from tools.dataset.looks import LookJob
from tools.dataset.manifest import Manifest
from tools.dataset.outcomes import Outcome
from tools.dataset.running import Runner

STEP = "repair"


def repair(
    manifest: Manifest,
    runner: Runner,
    job: LookJob,
    alike: Alike | None,
    progress: Callable[[int], object],
    again: bool = False,
    comparing: Callable[[int], object] = lambda _: None,
) -> None:
    """Looks at every picture not yet looked at, then compares all; ``alike`` None: byte for byte only.

    ``progress`` hears of pictures looked at, ``comparing`` of each of `BANDS` compared.
    """
    settings = {"least_px": job.least_px, "blank_range": job.blank_range, "alike": asdict(alike) if alike else None}
    manifest.begin(STEP, settings, again)
    for outcomes in runner.run(job, manifest.pages(manifest.pending(STEP, looked=True))):
        _keep_looks(manifest, outcomes)
        progress(len(outcomes))
    sort_out_exact(manifest)
    if alike is not None:
        sort_out_alike(manifest, alike, comparing)
    with manifest.transaction() as db:
        db.execute(
            f"INSERT OR REPLACE INTO results(step, file, action) SELECT '{STEP}', f.id, 'kept' FROM files f "
            f"WHERE {manifest.pending(STEP)}"
        )
    manifest.finish(STEP)


def work_of(manifest: Manifest) -> int:
    """How many pictures are still to be looked at."""
    return manifest.count(manifest.pending(STEP, looked=True))


def _keep_looks(manifest: Manifest, outcomes: list[tuple[int, Outcome]]) -> None:
    manifest.write(STEP, [(number, outcome) for number, outcome in outcomes if outcome.action == "out"])
    with manifest.transaction() as db:
        db.executemany(
            "INSERT OR REPLACE INTO looks VALUES(?, ?, ?, ?, ?, ?)",
            [
                (
                    number,
                    bytes.fromhex(o.values["sha256"]),
                    o.values["phash"],
                    bytes.fromhex(o.values["dhash"]),
                    o.values["width"],
                    o.values["height"],
                )
                for number, o in outcomes
                if o.action == "kept"
            ],
        )
