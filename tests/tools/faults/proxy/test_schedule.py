"""The schedule's file: what it may say, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_apis.errors import StartError
from tools.faults.proxy.schedule import EXAMPLE, KINDS, Schedule, read_schedule

GOOD = "faults: [{fault: latency, delay_s: 0.2}]"


def read(tmp_path: Path, text: str) -> Schedule:
    file = tmp_path / "schedule.yaml"
    file.write_text(text, encoding="utf-8")
    return read_schedule(file)


def test_the_example_has_every_kind() -> None:
    example = read_schedule(EXAMPLE)
    assert {type(fault) for fault in example.faults} == set(KINDS)
    assert all(fault.told() for fault in example.faults)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("faults: [{fault: latency, delay: 1}]", "faults.0.latency.delay: there is no such setting"),
        ("faults: [{fault: flood}]", "faults.0: Input tag 'flood'"),
        ("faults: [{fault: latency}]", "faults.0.latency.delay_s: Field required"),
        ("faults: [{fault: reset, share: 0}]", "faults.0.reset.share: Input should be greater than 0"),
        ("faults: [{fault: reset, from_s: 5, to_s: 5}]", "faults.0: to_s must be after from_s"),
        ("repeat_s: 10\nfaults: [{fault: reset, from_s: 10}]", "faults.0: from_s must be before repeat_s"),
        ("faults: [{fault: status, code: 418}]", "faults.0.status.code"),
        ("flaws: []\nfaults: []", "flaws: there is no such setting"),
        ("[]", "the file"),
        ("faults: [", "is not valid YAML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(StartError) as refused:
        read(tmp_path, text)
    assert told in str(refused.value)
    assert "schedule.yaml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot read the settings"):
        read_schedule(tmp_path / "none.yaml")


def test_when_faults_act(tmp_path: Path) -> None:
    once = read(tmp_path, "faults: [{fault: reset, from_s: 2, to_s: 5}, {fault: black_hole, from_s: 4}]")
    assert [[f.acts(t) for f in once.faults] for t in (1.9, 2.0, 4.0, 5.0)] == [
        [False, False],
        [True, False],
        [True, True],
        [False, True],
    ]
    assert [once.next_change_s(t) for t in (0.0, 2.0, 4.5, 5.0)] == [2, 4, 5, None]
    again = read(tmp_path, "repeat_s: 10\nfaults: [{fault: reset, from_s: 2, to_s: 5}]")
    assert again.phase_s(23.5) == 3.5
    assert [again.next_change_s(t) for t in (0.0, 5.0)] == [2, 10]
    assert read(tmp_path, GOOD).phase_s(23.5) == 23.5
