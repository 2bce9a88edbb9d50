"""The command `dashcam`: `run`, `reads`, `recordings`, `install` and `doctor`.

Exit codes: 0 when all went well, 1 when a run failed, 2 for wrong arguments or settings. What goes wrong is
told in one line on standard error that says what to do.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from edge_client.commands import doctor, install, reads, recordings, run
from edge_client.commands.parser import Parser
from edge_client.errors import DashcamError
from edge_client.service.journal import goes_to_journal, priority_prefix


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
    parser = Parser(prog="dashcam", description="Finds and reads licence plates in a live or recorded drive.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run.add_parser(commands)
    reads.add_parser(commands)
    recordings.add_parser(commands)
    install.add_parser(commands)
    doctor.add_parser(commands)
    return parser
