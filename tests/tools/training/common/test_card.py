from __future__ import annotations

import datetime
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from tests.cloud_apis import tiny_models
from tools.training.common.card import Card, Figures, command_line, licences, sources_of, write_card


def card(**changes: object) -> Card:
    content: dict[str, object] = {
        "name": "yolov3",
        "title": "plates in a grey picture",
        "summary": "A network. " * 30,
        "seed": 7,
        "sources": sources_of(["mine", "open_lpr", "mine"], "pictures", {"open_lpr": "Apache-2.0"}, "CC0|1.0"),
        "commands": [command_line("tools.training.yolov3", ["--data", "my set"])],
        "figures": [Figures("On dev:", ("set", "AP@0.5"), [("mine", 0.98765)])],
        "limits": ["Small plates are missed."],
        "date": datetime.date(2026, 1, 2),
    }
    return Card(**(content | changes))  # type: ignore[arg-type]


def test_a_card_holds_all_that_there_is_to_know(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3(), file="yolov3.onnx", strides=[8, 16, 32], anchors=[1, 2])
    (tmp_path / "yolov3.float32.onnx").write_bytes((tmp_path / "yolov3.onnx").read_bytes())
    text = write_card(card(), tmp_path).read_text()
    for part in (
        "# yolov3: plates in a grey picture",
        "| mine | CC0\\|1.0 | 2 pictures |",
        "| open_lpr | Apache-2.0 | 1 pictures |",
        "| mine | 0.988 |",
        "2026-01-02, seed 7",
        "`p8`, `p16`, `p32`",
        "| weights | 0.0 million |",
        "python -m tools.training.yolov3 --data 'my set'",
        "Small plates are missed.",
        "0-test",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 120
    # What the tests of the house ask of every card.
    assert all(word in text.lower() for word in ("data", "licence", "seed", "python -m tools.training.yolov3"))


def test_a_card_without_figures_says_so(tmp_path: Path) -> None:
    tiny_models.write(tmp_path, "yolov3", tiny_models.yolov3(), file="yolov3.onnx")
    assert "nothing was held out" in write_card(card(figures=()), tmp_path).read_text()
    with pytest.raises(FileNotFoundError):
        write_card(card(name="crnn"), tmp_path)


def test_licences_are_those_of_the_data_folder(tmp_path: Path) -> None:
    assert licences(None) == licences(tmp_path) == {}
    (tmp_path / "plates").mkdir()
    (tmp_path / "plates" / "sources.csv").write_text('source,licence as stated,images\na,"MIT, mostly",3\n')
    assert licences(tmp_path) == {"a": "MIT, mostly"}
