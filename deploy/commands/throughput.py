"""The options of `plan` and `cluster up` that tell what cameras ask for and what a core does."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.errors import SettingsError
from deploy.planning.capacity import Throughput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the demand and of the measurement."""
    parser.add_argument("--fps", type=rate, default=30.0, help="frames a second that each sends (default: %(default)s)")
    parser.add_argument(
        "--reads-per-second", type=rate, default=1.0, help="plates that each camera has read a second (%(default)s)"
    )
    parser.add_argument("--seconds", type=rate, default=8.0, help="how long to measure (default: %(default)s)")
    parser.add_argument("--models", type=Path, help="folder of other models than the package's")
    parser.add_argument("--frames-per-core", type=rate, help="measure nothing: frames a second that a core does")
    parser.add_argument("--crops-per-core", type=rate, help="measure nothing: crops a second that a core reads")


def throughput(arguments: argparse.Namespace) -> Throughput:
    """What a core does: as given, else measured on this machine for some seconds; raises `SettingsError`."""
    if (arguments.frames_per_core is None) != (arguments.crops_per_core is None):
        raise SettingsError("--frames-per-core and --crops-per-core go together")
    if arguments.frames_per_core is not None:
        return Throughput(arguments.frames_per_core, arguments.crops_per_core)
    from deploy.planning.measure import measure  # noqa: PLC0415 - the models' runtime, which no other command needs

    return measure(arguments.models, arguments.seconds)


def count(text: str) -> int:
    """A number of cameras."""
    value = int(text)
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to a million")
    return value


def rate(text: str) -> float:
    """Something a second, or seconds."""
    value = float(text)
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value
