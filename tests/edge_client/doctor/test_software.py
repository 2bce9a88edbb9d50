from __future__ import annotations

import configparser
import re
from pathlib import Path

import av
import av.error
import pytest

from edge_client.doctor import software
from edge_client.doctor.finding import Verdict
from edge_client.recording.encoder import H264Encoder
from edge_client.sources.encoded import EncodedPacket
from edge_client.types import Image


def test_the_packages_are_those_of_the_extra() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[3] / "setup.cfg", encoding="utf-8")
    wanted = f"{setup['options']['install_requires']}\n{setup['options.extras_require']['edge']}"
    names = {re.split(r"[\\[<>=!~; ]", line)[0] for line in wanted.splitlines() if line and not line.startswith("#")}
    assert set(software.PACKAGES) == names


def test_what_is_missing_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert software.packages().verdict is Verdict.OK
    monkeypatch.setattr(software, "PACKAGES", ("numpy", "no-such-package-here"))
    finding = software.packages()
    assert finding.verdict is Verdict.WRONG
    assert finding.advice == "pip install no-such-package-here"


def test_python_and_encoder() -> None:
    assert software.python().found.startswith("3.")
    assert "H.264" in software.encoder().found


def test_an_encoder_that_fails_is_found_before_a_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: H264Encoder, image: Image, time_s: float) -> list[EncodedPacket]:
        raise av.error.ExternalError(-1, "no more memory in the chip")

    monkeypatch.setattr(H264Encoder, "encode", broken)
    finding = software.encoder()
    assert finding.verdict is Verdict.WRONG
    assert "no more memory in the chip" in finding.found
    assert "pip install" in finding.advice
