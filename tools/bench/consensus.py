"""The benchmark `consensus`: how few reading requests a drive needs, and what that costs in right reads."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from edge_client.config import EdgeSettings
from tools.bench.consensus_data import Models, recordings
from tools.bench.consensus_replay import Outcome, Policy, replay
from tools.data import require_data_root

ALL = "all"


def bench_consensus(args: argparse.Namespace, folder: Path, console: Console) -> dict[str, object]:
    """Each policy on the same detections and answers of the shipped models, which are asked once."""
    settings = EdgeSettings()
    policies = [Policy("every crop of every frame", settings, every=True), Policy("the budget", settings)]
    models = Models(args.config, args.models, args.cache)
    try:
        found = outcomes(policies, models, args)
    finally:
        models.save()
    console.print(_table(policies, found))
    for (group, name), outcome in found.items():
        if group != ALL:
            console.print(f"{group}, {name}: wrong {_listed(outcome.wrong)}; not read {_listed(outcome.missed)}")
    return {f"{group}: {name}": dataclasses.asdict(outcome) for (group, name), outcome in found.items()}


def outcomes(policies: Sequence[Policy], models: Models, args: argparse.Namespace) -> dict[tuple[str, str], Outcome]:
    """By group of recordings and name of the policy; `all` holds all of them, `ro_dashcam` both of its splits."""
    found: dict[tuple[str, str], Outcome] = {}
    for recording in recordings(require_data_root()):
        rate_hz = args.picture_rate_hz if recording.boxed else None
        for policy, outcome in zip(policies, replay(recording, policies, models, rate_hz=rate_hz), strict=True):
            for group in dict.fromkeys((recording.group, recording.group.split()[0], ALL)):
                key = group, policy.name
                found[key] = found.get(key, Outcome()) + outcome
    return dict(sorted(found.items(), key=lambda item: (item[0][0] == ALL, item[0][0])))


def _table(policies: Sequence[Policy], found: dict[tuple[str, str], Outcome]) -> Table:
    table = Table(
        title="reading requests (crops) and what came of them; ro_dashcam: 1 frame/s, clips: 12 frames/s",
        title_justify="left",
    )
    for heading in ("recordings", "policy"):
        table.add_column(heading)
    for heading in ("tracks", "requests", "per track", "fewer", "tracks right", "plates right", "stored", "wrong"):
        table.add_column(heading, justify="right")
    for (group, name), o in found.items():
        fewer = found[group, policies[0].name].requests / max(o.requests, 1)
        table.add_row(
            group,
            name,
            str(o.tracks),
            str(o.requests),
            f"{o.requests / max(o.tracks, 1):.2f}",
            f"{fewer:.1f}×",
            f"{o.tracks_right} of {o.legible} ({o.tracks_right / max(o.legible, 1):.1%})",
            f"{o.plates_right} of {o.plates}",
            str(o.stored),
            str(len(o.wrong)),
        )
    table.caption = "tracks right: of those with a legible plate. wrong: stored, but no text of the recording's labels"
    return table


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(texts) or "none"
