"""The command `dashcam`: `run`, `reads`, `recordings`, `install` and `doctor`.

Exit codes: 0 when all went well, 1 when a run failed, 2 for wrong arguments or settings. What goes wrong is
told in one line on standard error that says what to do.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from edge_client.commands import doctor, install, reads, recordings, run
from edge_client.commands.parser import Parser
from edge_client.errors import DashcamError
from edge_client.service.journal import goes_to_journal, priority_prefix

_EPILOG = """\
examples:
  dashcam doctor /dev/video0                          is all there that a drive needs?
  dashcam run /dev/video0 --config edge.yaml          a drive with a camera; the page is at http://localhost:8081
  dashcam run drive.mp4 --positions drive.nmea        a recorded drive with its GPS log
  dashcam reads search --plate 'B?01*' --near 45.75,21.22,500
  dashcam reads export --format gpx -o drive.gpx
  dashcam recordings list
  sudo dashcam install /dev/video0                    as a service; --print shows all of it and changes nothing

Every setting stands with its meaning in config/edge.yaml; exit codes: 0 well, 1 failed, 2 wrong usage or settings.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.function(arguments)
    except DashcamError as e:
        prefix = priority_prefix(logging.ERROR) if goes_to_journal(sys.stderr, os.environ) else ""
        print(f"{prefix}dashcam: error: {e}", file=sys.stderr)
        return e.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from failing once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("dashcam: interrupted", file=sys.stderr)
        return 130
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="dashcam",
        description="Finds and reads licence plates in a live or recorded drive.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run.add_parser(commands)
    reads.add_parser(commands)
    recordings.add_parser(commands)
    install.add_parser(commands)
    doctor.add_parser(commands)
    return parser
