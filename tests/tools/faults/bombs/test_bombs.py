"""The bombs against the real application, and what a server without bounds would show."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from cloud_apis.names import Api
from cloud_apis.web.app import create_app
from tests.cloud_apis.serving import running
from tools.faults.bombs import answers
from tools.faults.bombs.bystander import Bystander
from tools.faults.bombs.memory import PeakMemory
from tools.faults.bombs.requests import MOST_REFUSAL_S, Bomb, bombs, head, picture
from tools.faults.bombs.trial import Blast, explode, row
from tools.faults.fuzz.bodies import small_settings

TIMEOUT_S = 3.0
BOMBS = {bomb.name: bomb for bomb in bombs(TIMEOUT_S)}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    settings = small_settings().model_copy(update={"body_timeout_s": TIMEOUT_S})
    with running(create_app(settings, apis=(Api.YOLOV3, Api.CRNN))) as address:
        yield address


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_others_are_served(url: str, name: str) -> None:
    with Bystander(url, picture()) as other:
        blast = explode(url, BOMBS[name])
        assert other.wait_for(1)
    assert blast.status in BOMBS[name].statuses
    assert not other.failed


def test_a_late_or_wrong_answer_growth_or_a_stopped_bystander_is_a_fault() -> None:
    bomb = Bomb("x", (b"",), (413,))
    other = Bystander("http://127.0.0.1:1", b"")
    other.answered = 3
    good = [Blast(413, 0.01)] * 3
    assert row(bomb, good, 1.0, other).kept
    assert not row(bomb, [Blast(200, 0.01)], 1.0, other).kept
    assert not row(bomb, [Blast(413, 0.3)] * 3, 1.0, other).kept
    assert not row(bomb, good, 40.0, other).kept
    other.failed.append("ReadTimeout")
    assert not row(bomb, good, 1.0, other).kept


def test_a_server_that_waits_for_whole_bodies_would_be_found(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_apis.picture_header.HeaderLook.__call__", lambda self, chunk: None)
    blast = explode(url, BOMBS["PNG header of 65,500 px square"])
    assert blast.status == 408
    assert blast.took_s > MOST_REFUSAL_S


def test_a_packed_answer_is_garbage_to_the_dashcam() -> None:
    assert all("refused" in told.measured for told in answers.rows())


_TAKES_AND_GIVES_BACK = (
    "import mmap, sys\n"
    "for line in sys.stdin:\n"
    "    with mmap.mmap(-1, 100 * 2**20) as held:\n"
    "        for page in range(0, len(held), mmap.PAGESIZE):\n"
    "            held[page] = 1\n"
    "    print('given back', flush=True)\n"
)


def test_the_peak_of_memory_is_seen() -> None:
    # A process of its own: what the tests before left to be freed in this one would hide as much.
    command = [sys.executable, "-c", _TAKES_AND_GIVES_BACK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout

        def take_and_give_back() -> None:
            assert process.stdin and process.stdout
            print("go", file=process.stdin, flush=True)
            assert process.stdout.readline() == "given back\n"

        take_and_give_back()
        try:
            memory = PeakMemory(process.pid)
        except OSError:
            process.stdin.close()
            pytest.skip("this kernel does not let the peak be set back")
        assert memory.growth_mb < 20
        take_and_give_back()
        assert memory.growth_mb > 80
        memory.set_back()
        assert memory.growth_mb < 20
        process.stdin.close()


def test_what_is_sent_is_as_small_as_it_is_said_to_be() -> None:
    assert head("/x", "A: b") == b"POST /x HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\r\n"
    assert all(sum(map(len, bomb.pieces)) < 10 * 2**20 for bomb in BOMBS.values())
