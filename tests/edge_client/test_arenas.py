from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Threads that allocate at the same time get heaps of their own, which `malloc_info` counts.
_COUNT = """
import ctypes, sys, threading
from edge_client.arenas import limit_arenas

if sys.argv[1] == "limited" and not limit_arenas():
    sys.exit("not glibc")
gate = threading.Barrier(8)
def work():
    for _ in range(200):
        gate.wait()
        bytes(100_000)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, stream)
libc.fclose(stream)
"""

# What is held last lies above what was let go, which therefore stays with the process.
_HOLD = """
import resource, sys, time
from pathlib import Path
from edge_client.arenas import give_back, given_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
held = [bytes([1]) * 100_000 for _ in range(1000)]
last = bytes([1]) * 100_000
del held
before = resident()
if sys.argv[1] == "now":
    give_back()
else:
    with given_back(0.01):
        while resident() > before - 50:
            time.sleep(0.01)
print(before - resident())
"""


def heaps(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", _COUNT, how], capture_output=True, text=True, check=True)
    return run.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_threads_share_few_heaps() -> None:
    assert heaps("limited") <= 2


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
@pytest.mark.parametrize("how", ["now", "every so often"])
def test_what_lies_free_is_given_back(how: str) -> None:
    run = subprocess.run([sys.executable, "-c", _HOLD, how], capture_output=True, text=True, check=True, timeout=60)
    assert float(run.stdout) > 50
