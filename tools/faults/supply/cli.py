"""The supply chain's command: `python -m tools.faults.supply hashes|requirements EXTRAS|licences`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from tools.faults.supply.fetching import PipError, add_hashes, hashed_requirements
from tools.faults.supply.licences import licences
from tools.faults.supply.pins import HASHES


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 1 when pip fails."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults.supply",
        description="What is installed beside our own code. Known vulnerabilities are listed by index services only: "
        "where there is a network, `pip install pip-audit` and `pip-audit -r constraints.txt --no-deps` ask one.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("hashes", help=f"note this platform's files of all pins in {HASHES.name}")
    wanted = commands.add_parser("requirements", help="print what extras need, with hashes, for pip --require-hashes")
    wanted.add_argument("extras", help="such as edge,cloud")
    commands.add_parser("licences", help="list the licences of what is installed of the pins")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "hashes":
            print(f"{HASHES}: {add_hashes()} packages")
        elif arguments.command == "requirements":
            print(hashed_requirements(arguments.extras), end="")
        else:
            _list()
    except (PipError, OSError, subprocess.TimeoutExpired) as error:
        print(f"supply: error: {error}", file=sys.stderr)
        return 1
    return 0


def _list() -> None:
    # Imported late: the other commands run before anything is installed.
    from rich.console import Console
    from rich.table import Table

    table = Table("package", "version", "licence", "", highlight=False)
    for licence in licences():
        table.add_row(licence.name, licence.version, licence.text[:80], "" if licence.permissive else "not permissive")
    Console().print(table)
