"""`dashcam doctor`: whether everything that a drive needs is there, and what to do if not."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_client.commands.parser import Subcommands
from edge_client.commands.settings import settings_of
from edge_client.doctor import Finding, Verdict, examine
from edge_client.errors import DashcamError

_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.WRONG: "bold red"}


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser("doctor", help="check everything a drive needs", description="Check this device.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (default: the shipped edge.yaml)")
    parser.add_argument("--positions", type=Path, metavar="LOG", help="NMEA log to check")
    parser.add_argument("--reads", type=Path, metavar="FILE", help="reads file to check")
    parser.add_argument("--yolov3-endpoint", metavar="URL", help="detector to ask")
    parser.add_argument("--crnn-endpoint", metavar="URL", help="reader to ask")
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
        findings = [Finding("settings", Verdict.OK, str(arguments.config or "as shipped")), *examine(settings)]
    except DashcamError as e:
        findings = [Finding("settings", Verdict.WRONG, str(e), "correct the file or the flag")]
    table = Table(title="Dashcam", title_justify="left")
    for heading in ("part", "", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict.value, style=_STYLES[finding.verdict])
        table.add_row(finding.part, verdict, Text(finding.found), Text(finding.advice))
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=140)).print(table)
    return int(any(finding.verdict is Verdict.WRONG for finding in findings))
