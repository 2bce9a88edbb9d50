"""Keeping glibc's heap small.

Each thread may get a heap of its own (up to eight for a core), and frames that one thread allocates and another
frees leave holes in all of them: with two, a device with recording stays some 30 MiB smaller at the same pace.
"""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # mallopt(3)
_ARENAS = 2


def limit_arenas() -> bool:
    """Let the C library use few heaps from now on; False where it is not glibc. Call it before threads start."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    mallopt.argtypes, mallopt.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
    return bool(mallopt(_M_ARENA_MAX, _ARENAS))
