"""Keeping glibc's heap small.

Each thread may get a heap of its own (up to eight for a core), and frames that one thread allocates and another
frees leave holes in all of them: with two, a device with recording stays some 30 MiB smaller at the same pace. What
lies between the holes keeps them from going back by themselves: after each stall of the network some 40 MiB stayed.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

_M_ARENA_MAX = -8  # mallopt(3)
_ARENAS = 2
_TRIM_EVERY_S = 5.0


def limit_arenas() -> bool:
    """Let the C library use few heaps from now on; False where it is not glibc. Call it before threads start."""
    mallopt = _of_glibc("mallopt", ctypes.c_int, ctypes.c_int)
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, _ARENAS))


def give_back() -> bool:
    """Give the system what lies free in the heaps, as malloc_trim(3) does; False where there was none, or no glibc."""
    trim = _of_glibc("malloc_trim", ctypes.c_size_t)
    return trim is not None and bool(trim(0))


@contextmanager
def given_back(every_s: float = _TRIM_EVERY_S) -> Iterator[None]:
    """Give back what lies free every so often, on a thread of its own, for as long as the block lasts."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every_s):
            give_back()

    thread = threading.Thread(target=work, name="heap", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _of_glibc(name: str, *arguments: type) -> Callable[..., int] | None:
    """A function of the C library that gives an int; None where there is no such one."""
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes, function.restype = list(arguments), ctypes.c_int
    return cast("Callable[..., int]", function)
