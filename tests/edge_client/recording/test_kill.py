"""A recording that is killed plays to within 2 s of its end, again and again in one folder."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

from edge_client.recording.library import recordings_in
from edge_client.recording.playable import playable_s
from edge_client.recording.repair import repair_all

PROGRAM = """
import sys, threading
from itertools import count
from pathlib import Path
from tests.edge_client.recording.samples import frame, noise, recorder
recording = recorder(Path(sys.argv[1]), sync_s=0.25)
pictures = [noise(n, 160, 90) for n in range(30)]
tick = threading.Event()
for number in count():
    recording.put(frame(number, pictures[number % 30]))
    print(number, recording.status().lost_frames, flush=True)
    while recording.waiting > 2:
        tick.wait(0.002)
    tick.wait(0.004)
"""
"""Several times as fast as a camera: two seconds of video are less than half a second here."""
FRAGMENT_S = 0.55
"""A little more than the fragments of a recording last."""


def test_killed_recordings_play(tmp_path: Path) -> None:
    chance = random.Random(7)
    before = 0.0
    for attempt in range(3):
        last = _record_until_killed(tmp_path, frames=chance.randrange(40, 120))
        found = recordings_in(tmp_path)
        assert not any(recording.open for recording in found)  # nothing holds on to what a dead process wrote
        end = found[-1].track.end
        # A kill may fall between two segments, when the last one has just come to its full length.
        assert found[-1].cut or (end is not None and end.why == "length")
        total = sum(playable_s(recording.video) for recording in found)
        assert last / 30 - 2.0 <= total - before <= last / 30 + 1.0, attempt
        repair_all(tmp_path)
        repaired = sum(playable_s(recording.video) for recording in recordings_in(tmp_path))
        # Of a fragment that is not whole a patient decoder plays some pictures; the repair takes it away.
        assert total - FRAGMENT_S < repaired <= total
        assert repaired - before >= last / 30 - 2.0, attempt
        before = repaired


def _record_until_killed(folder: Path, frames: int) -> int:
    """The number of the last frame that the recording had taken."""
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child:
        for line in child.stdout:
            number, lost = map(int, line.split())
            assert lost == 0
            if number >= frames:
                break
        child.kill()
        rest = child.stdout.read().splitlines()
    assert child.returncode == -signal.SIGKILL
    whole = [line for line in rest if len(line.split()) == 2]
    return int(whole[-1].split()[0]) if whole else number
