"""The command line's parser."""

from __future__ import annotations

import argparse
from typing import NoReturn, TypeAlias


class Parser(argparse.ArgumentParser):
    """Tells a wrong argument in one line."""

    def error(self, message: str) -> NoReturn:
        """Ends the command with exit code 2."""
        self.exit(2, f"dashcam: error: {message}; see `{self.prog} --help`\n")


Subcommands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""Where a command adds its own parser."""
