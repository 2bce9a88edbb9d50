from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_client.errors import ConfigError
from edge_client.store.known import KnownPlate, KnownPlates, known_plates
from edge_client.store.plate_text import confusion

YAML = """
- plate: B 101 ABC
  name: a friend
  note: blue van
- plate: TM-02-XYZ
  action: ignore
  distance: 1
- B77ZZZ
"""
CSV = "plate,name,note,action,distance\nB 101 ABC,a friend,blue van,,\n\nTM-02-XYZ,,,ignore,1\nB77ZZZ\n"


@pytest.mark.parametrize(("name", "text"), [("k.yaml", YAML), ("k.csv", CSV), ("k.csv", "\ufeff" + CSV)])
def test_both_forms_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    known = KnownPlates.load(tmp_path / name, distance=0.5)
    assert len(known) == 3
    friend = known.match("BI01ABC")
    assert friend is not None
    assert (friend.plate, friend.name, friend.note, friend.action) == ("B101ABC", "a friend", "blue van", "alert")
    assert known.match("8101ABC") is friend  # B and 8 are easily confused
    assert known.match("B101ABX") is None
    assert known.ignores("TM02XY1")
    assert not known.ignores("TM02X11")
    third = known.match("b 77 zzz")
    assert third is not None
    assert third.name == "B77ZZZ"


def test_the_nearest_plate_is_meant(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("plate,distance,name\nB101ABC,2,far\nB101ABD,2,near\n", encoding="utf-8")
    found = KnownPlates.load(tmp_path / "k.csv", distance=0).match("B101ABD")
    assert found is not None
    assert found.name == "near"


def test_no_list_knows_nothing() -> None:
    assert known_plates(None, distance=0.5).match("B101ABC") is None


def test_answers_are_remembered_only_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_client.store.known._CACHED", 8)
    (tmp_path / "k.yaml").write_text("[B101ABC]", encoding="utf-8")
    known = KnownPlates.load(tmp_path / "k.yaml", distance=0)
    for _ in range(2):
        assert [n for n in range(95, 120) if known.match(f"B{n}ABC") is not None] == [101]


@given(st.text(alphabet="AB80O1IC", max_size=7), st.text(alphabet="AB80O1IC", min_size=1, max_size=7))
def test_the_quick_look_lets_nothing_through_that_fits(text: str, plate: str) -> None:
    for distance in (0.0, 0.5, 1.0, 2.0):
        known = KnownPlates([KnownPlate(plate, "", "", "alert", distance)])
        assert (known.match(text) is not None) == (confusion(plate, text) <= distance)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("k.yaml", "- plate: 12345", "plate 1: plate: .*quotes"),
        ("k.yaml", "- plate: '--'", "neither letters nor digits"),
        ("k.yaml", "- plate: A1\n  colour: red", "plate 1: colour: extra"),
        ("k.yaml", "- plate: A1\n  action: shoot", "plate 1: action"),
        ("k.yaml", "- plate: A1\n  distance: -1", "plate 1: distance"),
        ("k.yaml", "plate: A1", "expected a list"),
        ("k.yaml", "- 5", "plate 1"),
        ("k.yaml", "- [", "line 1: not valid YAML"),
        ("k.csv", "name\nx\n", "plate 1: plate: field required"),
        ("k.csv", "plate,distance\nA1,far\n", "plate 1: distance"),
        ("k.csv", "plate\nA1,B2\n", "more columns"),
    ],
)
def test_a_wrong_list_is_told_in_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as error:
        KnownPlates.load(tmp_path / name, distance=0.5)
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the list"):
        KnownPlates.load(tmp_path / "none.yaml", distance=0.5)
    (tmp_path / "k.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        KnownPlates.load(tmp_path / "k.yaml", distance=0.5)
