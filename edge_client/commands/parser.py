"""The command line's parser."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn, TypeAlias

_NUMBERS = re.compile(r"-\.?\d[\d.,eE+-]*$")
"""A number below zero, or a list that begins with one, such as a place in the south: a value, no flag."""


class Parser(argparse.ArgumentParser):
    """Tells a wrong argument in one line; takes values that begin with a number below zero."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._negative_number_matcher = _NUMBERS

    def error(self, message: str) -> NoReturn:
        """Ends the command with exit code 2."""
        self.exit(2, f"dashcam: error: {message}; see `{self.prog} --help`\n")


Subcommands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""Where a command adds its own parser."""
