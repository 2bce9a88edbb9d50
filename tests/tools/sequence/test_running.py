"""Steps are run as typed, and what did not come of them is named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tools.sequence.cli import environment
from tools.sequence.running import SequenceError, Step, run
from tools.sequence.steps import Place, steps


def test_a_step_prints_its_command_and_output(tmp_path: Path) -> None:
    said: list[str] = []
    step = Step("Ask for help", "cloud-deploy", ("models", "--help"), lambda out: "" if "push" in out else "no push")
    (done,) = run([step], tmp_path, environment(os.environ), said.append)
    assert done.title == "Ask for help"
    assert said[0] == "\n# Ask for help\n$ cloud-deploy models --help"
    assert "push, pull, list and tag models" in "\n".join(said) or "Models in an S3 bucket" in "\n".join(said)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step("Wrong", "cloud-deploy", ("nothing",)), "Wrong: `cloud-deploy nothing` ended with 2 instead of 0"),
        (Step("Empty", "cloud-deploy", ("plan", "--help"), lambda _: "it says nothing"), "Empty: it says nothing"),
    ],
)
def test_the_first_step_that_fails_ends_it(tmp_path: Path, step: Step, words: str) -> None:
    never = Step("Never", "cloud-deploy", ("--help",), lambda _: "was run")
    with pytest.raises(SequenceError, match=words):
        run([step, never], tmp_path, environment(os.environ), lambda _: None)


def test_the_commands_get_credentials_of_the_local_server_only() -> None:
    given = {"AWS_PROFILE": "mine", "AWS_SECRET_ACCESS_KEY": "mine", "PATH": "/bin"}
    found = environment(given)
    assert "mine" not in found.values() and found["PATH"] == "/bin"
    assert "AWS_PROFILE" not in found


def test_settings_are_written_before_the_steps_that_need_them(tmp_path: Path) -> None:
    place = Place(tmp_path, "s3://bucket/x", "http://a", "http://b", None, "127.0.0.1", 8000, "http://c:8000")
    sequence = steps(place)
    first = next(sequence)
    assert first.options[:2] == ("models", "push")
    assert f"file:{tmp_path / 'key'}" in place.settings.read_text(encoding="utf-8")
    assert first.problem("yolov3@sha256:ab") == "" and "does not say" in first.problem("")
    titles = {step.title: step for step in (next(sequence) for _ in range(6))}
    states = [{"name": "yolov3", "state": "RUNNING"}, {"name": "crnn", "state": "DEPLOYING"}]
    assert "DEPLOYING" in titles["Look at it"].problem(json.dumps({"apis": states}))
