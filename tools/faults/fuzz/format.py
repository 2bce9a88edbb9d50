"""What a format of input is to the fuzzing: intact inputs, ways to spoil them, and the product's own reader of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.faults.fuzz.mutate import Mutation

Feed = Callable[[bytes], str]
"""Gives one input to the product and says in a word what became of it: ``taken``, or by what it was refused.

Whatever it raises is what must not come: the product's own errors are an answer, and are caught within.
"""
FORMATS: Final = ("pictures", "bodies", "answers", "settings", "darknet", "onnx")
"""Names of the formats; each is a module of this package with a ``FORMAT``."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of input. ``intact`` makes inputs without a flaw, ``reader`` opens what reads them, in an empty folder."""

    name: str
    about: str
    intact: Callable[[], Sequence[bytes]]
    mutations: Sequence[Mutation]
    reader: Callable[[Path], AbstractContextManager[Feed]]
    """Inputs that are kept are readable text files, not hexadecimal ones."""
    text: bool = False


def format_named(name: str) -> Format:
    """One of `FORMATS`, whose libraries are loaded only now."""
    found = importlib.import_module(f"tools.faults.fuzz.{name}").FORMAT
    if not isinstance(found, Format):
        raise TypeError(f"{name} is no format")
    return found
