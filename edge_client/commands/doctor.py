"""`dashcam doctor`: whether everything that a drive needs is there, and what to do if not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_client.commands.parser import Subcommands
from edge_client.commands.settings import settings_of
from edge_client.doctor import Finding, Verdict, examine
from edge_client.errors import DashcamError

_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.WRONG: "bold red"}
_LISTEN_S = 5.0


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser(
        "doctor",
        help="check everything a drive needs",
        description="Check this device, part by part, and say what to do. Exit code 1 when something is wrong.",
    )
    add = parser.add_argument
    add("source", metavar="SOURCE", nargs="?", help="take a picture from this camera or stream, too")
    add("--config", type=Path, metavar="FILE", help="settings (default: the shipped edge.yaml)")
    add("--positions", type=Path, metavar="LOG", help="NMEA log to check")
    add("--reads", type=Path, metavar="FILE", help="reads file to check")
    add("--yolov3-endpoint", metavar="URL", help="detector to ask")
    add("--crnn-endpoint", metavar="URL", help="reader to ask")
    add("--listen", type=float, default=_LISTEN_S, metavar="SECONDS", help="wait so long for a GPS fix (default: 5)")
    add("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(function=examine_device)


def examine_device(arguments: argparse.Namespace) -> int:
    """Prints a table of findings; returns 1 if something is wrong."""
    named = {
        "positions": {"nmea_log": arguments.positions},
        "reads": {"file": arguments.reads},
        "apis": {"yolov3_endpoint": arguments.yolov3_endpoint, "crnn_endpoint": arguments.crnn_endpoint},
    }
    given = {section: {k: v for k, v in keys.items() if v is not None} for section, keys in named.items()}
    try:
        settings = settings_of(arguments.config, {section: keys for section, keys in given.items() if keys})
        findings = [
            Finding("settings", Verdict.OK, str(arguments.config or "as shipped")),
            *examine(settings, arguments.source, listen_s=arguments.listen),
        ]
    except DashcamError as e:
        findings = [Finding("settings", Verdict.WRONG, str(e), "correct the file or the flag")]
    if arguments.json:
        print(json.dumps([finding.to_json() for finding in findings], indent=2, ensure_ascii=False))
    else:
        _print(findings)
    return int(any(finding.verdict is Verdict.WRONG for finding in findings))


def _print(findings: Sequence[Finding]) -> None:
    table = Table(title="Dashcam", title_justify="left")
    for heading in ("part", "", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict.value, style=_STYLES[finding.verdict])
        table.add_row(finding.part, verdict, Text(finding.found), Text(finding.advice))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=140)).print(table)
