"""Shows how a rollout goes on: a table that is redrawn on a terminal, else a line whenever something changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.rollout.following import State, Watch

_NOTE = 160


@contextmanager
def watching(stream: TextIO | None = None) -> Iterator[Watch]:
    """Gives what `Follower` tells the states to; they are shown on standard error, or the stream."""
    console = Console(file=stream or sys.stderr, highlight=False)
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:

        def redraw(states: Sequence[State]) -> None:
            live.update(_table(states))

        yield redraw


class _Lines:
    """Writes the states that have changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, State] = {}

    def __call__(self, states: Sequence[State]) -> None:
        for state in states:
            if self._told.get(state.name) != state:
                self._told[state.name] = state
                note = f" ({state.note[:_NOTE]})" if state.note else ""
                line = f"{state.name}: {state.status}, {state.running} of {state.wanted} replicas{note}"
                self._console.print(line, markup=False, soft_wrap=True)


def _table(states: Sequence[State]) -> Table:
    shown = Table("API", "state", "replicas", "")
    for state in states:
        shown.add_row(state.name, state.status, f"{state.running} of {state.wanted}", state.note[:_NOTE])
    return shown
