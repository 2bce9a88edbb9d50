"""Hashes, licences and extras: what is missing, too much or not permissive would be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.faults.supply import extras, trial
from tools.faults.supply.extras import ROOMS, imports, missing, requirements, unused
from tools.faults.supply.licences import is_permissive, licences
from tools.faults.supply.pins import hashes, normal, pins, write_hashes


def test_every_pin_has_a_hash() -> None:
    known = hashes()
    assert set(pins().items()) == known.keys()
    assert all(len(digest) == 64 for found in known.values() for digest in found)


def test_hashes_are_written_as_pip_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "hashes.txt"
    known = {("a-b", "1.0"): frozenset({"0" * 64, "f" * 64}), ("c", "2"): frozenset({"1" * 64})}
    write_hashes(known, file)
    assert hashes(file) == known
    assert "a-b==1.0 \\\n    --hash=sha256:" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_its_extra_asks_for(room: str) -> None:
    assert not missing(room)


@pytest.mark.parametrize("extra", trial.EXTRAS)
def test_an_extra_asks_for_nothing_else(extra: str) -> None:
    assert not unused(extra, trial.EXTRAS[extra])


def test_what_is_missing_or_idle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "room").mkdir()
    code = "import os\nimport requests.adapters\ndef f():\n    from yaml import load\nfrom edge_client import x\n"
    (tmp_path / "room" / "a.py").write_text(code, encoding="utf-8")
    setup = "[options]\ninstall_requires =\n    numpy\n[options.extras_require]\none =\n    # a remark\n    PyYAML>=6\n"
    (tmp_path / "setup.cfg").write_text(
        f"{setup}    tqdm>=4; python_version < '4'\nall =\n    plate-dashcam[one]\n", "utf-8"
    )
    monkeypatch.setitem(extras.ROOMS, "room", ("all",))
    assert [i.module for i in imports("room", tmp_path)] == ["requests.adapters", "yaml"]
    assert requirements(("all",), tmp_path) == {"numpy", "pyyaml", "tqdm"}
    assert missing("room", tmp_path) == ["room/a.py:2: requests.adapters"]
    assert unused("one", ("room",), tmp_path) == ["tqdm"]


@pytest.mark.parametrize(
    ("text", "permissive"),
    [
        ("MIT", True),
        ("BSD-3-Clause", True),
        ("Apache Software License", True),
        ("MIT OR GPL-3.0", True),
        ("MPL-2.0 AND MIT", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("LGPL-2.1", False),
        ("not stated", False),
        ("Proprietary", False),
    ],
)
def test_permissive_licences_are_told_from_others(text: str, permissive: bool) -> None:
    assert is_permissive(text) is permissive


def test_all_licences_are_permissive_or_accounted_for() -> None:
    found = list(licences())
    assert len(found) > 20
    assert not [one for one in found if not one.permissive and one.name not in trial.KNOWN]


def test_names_are_compared_as_indexes_do() -> None:
    assert normal("Ruamel_yaml..Clib") == "ruamel-yaml-clib"
