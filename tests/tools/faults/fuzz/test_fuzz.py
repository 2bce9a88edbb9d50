"""The engine, the formats, and the watch over the process: a broken product would be found."""

from __future__ import annotations

import random
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from cloud_apis.images import decode_grey
from tools.faults.fuzz import cli, pictures, watch
from tools.faults.fuzz.child import outcome
from tools.faults.fuzz.format import FORMATS, format_named
from tools.faults.fuzz.jsons import spoiled_json
from tools.faults.fuzz.mutate import BYTES, Cases, mutated
from tools.faults.fuzz.watch import Figures, run_cases


def test_a_case_is_the_same_whatever_came_before() -> None:
    cases = Cases([b"an intact input", b"another"], BYTES, 3)
    assert [cases[n] for n in (5, 1, 5)] == [cases[5], cases[1], cases[5]]
    assert len({cases[n] for n in range(50)}) > 40
    assert Cases([b"an intact input"], BYTES, 4)[5] != Cases([b"an intact input"], BYTES, 5)[5]


@pytest.mark.parametrize("mutation", BYTES)
def test_any_input_can_be_mutated(mutation: object) -> None:
    for data in (b"", b"a", b"ab" * 50):
        for seed in range(20):
            assert isinstance(mutated(random.Random(seed), data, BYTES, 2), bytes)
            assert isinstance(mutation(random.Random(seed), data), bytes)  # type: ignore[operator]


def test_json_is_spoiled_by_its_meaning() -> None:
    found = {spoiled_json(random.Random(seed), b'{"img": "AAAA", "n": [1, 2]}') for seed in range(60)}
    assert len(found) > 30
    assert spoiled_json(random.Random(1), b"no json") == b"no json"


@pytest.mark.parametrize("name", FORMATS)
def test_intact_inputs_are_taken_and_mutated_ones_break_nothing(name: str, tmp_path: Path) -> None:
    kind = format_named(name)
    cases = Cases(kind.intact(), kind.mutations, 11)
    with kind.reader(tmp_path) as feed:
        words = {outcome(feed, data) for data in kind.intact()}
        assert "taken" in words
        words = {outcome(feed, cases[number]) for number in range(12)}
    assert not [word for word in words if word.startswith("!")]


def test_the_process_is_watched_to_its_end(tmp_path: Path) -> None:
    figures = run_cases("pictures", 12, 1, tmp_path)
    assert figures.good, str(figures)
    assert figures.fed == 12
    assert "12 cases" in str(figures)


def test_what_hangs_dies_or_raises_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        textwrap.dedent("""
            import os, sys, time
            first, end = int(sys.argv[3]), int(sys.argv[4])
            print("ready", flush=True)
            for n in range(first, end):
                if n == 1:
                    time.sleep(60)
                if n == 3:
                    os.abort()
                print(n, 1, "!KeyError: x" if n == 4 else "taken", flush=True)
        """),
        encoding="utf-8",
    )
    real = subprocess.Popen

    def started(command: list[str], **options: Any) -> Any:
        return real([command[0], str(script), *command[5:]], **options)

    monkeypatch.setattr(subprocess, "Popen", started)
    figures = run_cases("pictures", 6, 1, tmp_path, case_s=2.0)
    assert [number for number, _ in figures.broken] == [1, 3, 4]
    assert figures.became == {"taken": 3}
    assert "hangs" in figures.broken[0][1]
    assert "-6" in figures.broken[1][1]
    assert not figures.good


def test_growth_is_found() -> None:
    flat = Figures(rss_mb=[50, 90, *[100.0] * 40])
    assert flat.growth_mb == 0
    assert flat.good
    leaking = Figures(rss_mb=[100.0 + 2 * n for n in range(40)])
    assert leaking.growth_mb > watch.MOST_GROWTH_MB
    assert not leaking.good


def test_a_decoder_that_lies_or_breaks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    good = pictures.intact()[0]
    assert outcome(pictures.decode, good) == "taken"
    monkeypatch.setattr(pictures, "decode_bgr", decode_grey)
    assert outcome(pictures.decode, good).startswith("!AssertionError")


def test_the_command_says_what_became_of_the_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pictures", "--count", "3", "--seed", "2"]) == 0
    assert "pictures: 3 cases" in capsys.readouterr().out
