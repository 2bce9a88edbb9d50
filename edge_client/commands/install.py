"""`dashcam install`: makes this device run the dashcam as a service."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from importlib import resources
from pathlib import Path

from edge_client.commands.parser import Subcommands
from edge_client.commands.settings import settings_of
from edge_client.errors import DashcamError
from edge_client.service.install import UNIT_NAME, Plan, plan_installation, run_commands, write_parts
from edge_client.service.unit import ServiceSettings
from edge_client.service.writable import writable_folders

_ROOT = Path("/")


def add_parser(commands: Subcommands) -> None:
    """Adds the subcommand."""
    parser = commands.add_parser(
        "install",
        help="run the dashcam as a service",
        description="Write the systemd unit, its account, its device names and its settings. Safe to repeat.",
        epilog="Files that belong to you, the settings and the keys, are never replaced.",
    )
    add = parser.add_argument
    add("source", metavar="SOURCE", nargs="?", default="/dev/video0", help="the camera (default: /dev/video0)")
    add("--print", action="store_true", help="print everything that would be written and run; change nothing")
    add("--root", type=Path, default=_ROOT, metavar="DIR", help="write below this folder, such as a mounted image")
    add("--config", type=Path, default=Path("/etc/dashcam/edge.yaml"), metavar="FILE", help="settings of the service")
    add("--python", type=Path, default=Path(sys.executable), metavar="FILE", help="interpreter of the service")
    add("--user", default="dashcam", metavar="NAME", help="account of the service (default: dashcam)")
    add("--memory-max", default="1G", metavar="SIZE", help="end it when it takes more than this (default: 1G)")
    add("--fullscreen", action="store_true", help="let new settings draw on the screen, with or without a desktop")
    parser.set_defaults(function=install)


def install(arguments: argparse.Namespace) -> int:
    """Writes what is missing, or prints what would be written.

    Raises:
        DashcamError: something cannot be written; the message is one line.
    """
    there = arguments.root / arguments.config.relative_to("/") if arguments.config.is_absolute() else arguments.config
    settings = settings_of(there if there.is_file() else None)
    service = ServiceSettings(
        source=arguments.source,
        python=arguments.python,
        config=arguments.config,
        user=arguments.user,
        writable=writable_folders(settings),
        memory_max=arguments.memory_max,
    )
    shipped = (resources.files("config") / "edge.yaml").read_text(encoding="utf-8")
    plan = plan_installation(service, shipped, full_screen=arguments.fullscreen)
    live = arguments.root == _ROOT
    if arguments.print:
        _print(plan, live=live)
        return 0
    if live and os.geteuid() != 0:
        raise DashcamError("installing needs root: sudo dashcam install; look first: dashcam install --print")
    for path, step in write_parts(plan, arguments.root):
        print(f"{step.value:8}{path}")
    if arguments.fullscreen and there.is_file() and not settings_of(there).window.full_screen:
        print(f"note    {there} is yours and was kept: set window.full_screen to true there")
    failed = False
    if live:
        for command, problem in run_commands(plan):
            print(f"{'failed' if problem else 'ran':8}{shlex.join(command)}{f': {problem}' if problem else ''}")
            failed = failed or problem is not None
        print(f"The dashcam starts with the device from now on. At once: systemctl start {UNIT_NAME}")
    return int(failed)


def _print(plan: Plan, *, live: bool) -> None:
    for file in plan.files:
        kept = ", only if there is none" if file.owners else ""
        print(f"### {file.path} (mode {file.mode:o}{kept})\n{file.text}")
    for link in plan.links:
        print(f"### {link.path} -> {link.target}")
    for command in plan.commands if live else ():
        print(f"### runs: {shlex.join(command)}")
