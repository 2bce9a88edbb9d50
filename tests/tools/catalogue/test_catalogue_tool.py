"""The tool for facts: faults with their lines, imports that are whole or not at all, coverage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_apis.catalogue.facts import Span
from cloud_apis.catalogue.table import load_catalogue
from tools.catalogue.cli import main
from tools.catalogue.table import join

HEAD = "make,model,fact,value,currency,date,scope,source\n"
SOUND = HEAD + "trabant,601,seats,4,,,,https://a.example/1\nTrabant,601,fuels,petrol,,,,https://a.example/1\n"


def test_check_names_every_faulty_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(SOUND + "trabant,601,seats,many,,,,https://a.example/1\ntrabant,601,gears,4,,,,b\n")
    assert main(["check", str(file)]) == 1
    captured = capsys.readouterr()
    assert "mine.csv:4: seats: 'many'" in captured.err
    assert "mine.csv:5: there is no fact 'gears'" in captured.err
    assert "2 sound rows about" in captured.out


def test_an_import_adds_to_the_shipped_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, into = tmp_path / "mine.csv", tmp_path / "all.csv"
    own.write_text(SOUND)
    assert main(["import", str(own), "--into", str(into), "--dry-run"]) == 0
    assert not into.exists()
    assert main(["import", str(own), "--into", str(into)]) == 0
    catalogue = load_catalogue(into)
    facts = catalogue.facts_of("TRABANT", "601")
    assert facts is not None
    assert facts.seats is not None
    assert facts.seats.value == Span(4, 4)
    assert catalogue.facts_of("VW", "Golf") == load_catalogue().facts_of("VW", "Golf")
    assert main(["import", str(own), "--into", str(into)]) == 0
    assert "0 new, 2 there already" in capsys.readouterr().out


def test_a_faulty_import_changes_nothing(tmp_path: Path) -> None:
    own, into = tmp_path / "mine.csv", tmp_path / "all.csv"
    into.write_text(SOUND)
    own.write_text(HEAD + "x,y,seats,5,,,,https://a.example/1\nx,y,seats,5,,,,\n")
    assert main(["import", str(own), "--into", str(into)]) == 1
    assert into.read_text() == SOUND


def test_own_facts_may_replace_others_of_their_kind() -> None:
    old = [("Ford", "Focus", "seats", "5", "", "", "", "s 1"), ("ford", "focus", "fuels", "petrol", "", "", "", "s 1")]
    own = [("ford", "FOCUS", "seats", "4", "", "", "", "s 2")]
    assert len(join(old, own).rows) == 3
    joined = join(old, own, replace=True)
    assert joined.replaced == 1
    assert {row[3] for row in joined.rows} == {"petrol", "4"}


def test_own_facts_replace_others_of_the_model_by_whichever_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, into = tmp_path / "mine.csv", tmp_path / "all.csv"
    lines = ["VW,Golf,seats,4", "volkswagen,golf,aliases,Caribe", "Volkswagen,CARIBE,years,1980-1990"]
    own.write_text(HEAD + "".join(f"{line},,,,https://a.example/1\n" for line in lines))
    before = load_catalogue().facts_of("volkswagen", "golf")
    assert before is not None and before.seats is not None and before.seats.value != Span(4, 4)
    assert main(["import", str(own), "--into", str(into), "--replace"]) == 0
    facts = load_catalogue(into).facts_of("Volkswagen", "Golf")
    assert facts is not None and facts.seats is not None and facts.years is not None
    assert facts.seats.value == Span(4, 4)
    assert facts.years.value == Span(1980, 1990)
    assert facts.fuels == before.fuels
    assert " 0 replaced" not in capsys.readouterr().out


def test_aliases_that_are_replaced_name_nothing_any_more() -> None:
    old = [("x", "", "aliases", "ex", "", "", "", ""), ("x", "y", "seats", "5", "", "", "", "s 1")]
    own = [("X", "", "aliases", "ix", "", "", "", ""), ("ex", "y", "seats", "4", "", "", "", "s 2")]
    assert {row[3] for row in join(old, own, replace=True).rows} == {"ix", "5", "4"}
    assert {row[3] for row in join(old, own[1:], replace=True).rows} == {"ex", "4"}


def test_coverage_counts_what_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tmp_path / "labels.json"
    seen = [{"make": "ford", "model": "mustang"}, {"make": "nobody", "model": "nothing"}, {"make": "ford"}]
    labels.write_text(json.dumps({"annotations": seen}))
    assert main(["coverage", "--labels", str(labels)]) == 0
    assert "of 2 models 1 have facts" in capsys.readouterr().out
    labels.write_text("{}")
    assert main(["coverage", "--labels", str(labels)]) == 1


def test_show_answers_as_the_apis_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "Ford", "Mustang"]) == 0
    assert json.loads(capsys.readouterr().out)["make"] == "ford"
    assert main(["show", "Ford", "of the year 3000"]) == 1


def test_the_models_most_frequent_in_the_data_are_covered(shared_data: Path) -> None:
    content = json.loads((shared_data / "vehicles" / "attributes_train.json").read_text())
    counts: dict[tuple[str, str], int] = {}
    for annotation in content["annotations"]:
        if annotation.get("make") and annotation.get("model"):
            place = annotation["make"], annotation["model"]
            counts[place] = counts.get(place, 0) + 1
    frequent = sorted(counts, key=lambda place: -counts[place])[:40]
    catalogue = load_catalogue()
    assert [place for place in frequent if catalogue.facts_of(*place) is None] == []
