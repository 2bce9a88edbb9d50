"""What once broke something does so no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tools.faults.fuzz.child import BROKEN, outcome
from tools.faults.fuzz.corpus import keep, kept_inputs
from tools.faults.fuzz.format import FORMATS, Feed, format_named

CORPUS = Path(__file__).with_name("corpus")
KEPT = [(folder.name, file.name) for folder in sorted(CORPUS.iterdir()) for file, _ in kept_inputs(folder)]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Feed]]:
    """The product's readers, opened when they are first asked for."""

    class Opened(dict[str, Feed]):
        def __missing__(self, name: str) -> Feed:
            self[name] = feed = stack.enter_context(format_named(name).reader(tmp_path_factory.mktemp(name)))
            return feed

    with ExitStack() as stack:
        yield Opened()


@pytest.mark.parametrize(("name", "file"), KEPT)
def test_a_kept_input_is_taken_or_refused(name: str, file: str, readers: dict[str, Feed]) -> None:
    data = next(data for path, data in kept_inputs(CORPUS / name) if path.name == file)
    assert not outcome(readers[name], data).startswith(BROKEN)


def test_each_kept_input_belongs_to_a_format() -> None:
    assert {name for name, _ in KEPT} <= set(FORMATS)


@pytest.mark.parametrize("text", [True, False])
def test_what_is_kept_comes_back(tmp_path: Path, text: bool) -> None:
    data = bytes(range(256)) * 3
    file = keep(tmp_path / "new", data, "breaks\nall ü", text=text)
    assert list(kept_inputs(tmp_path / "new")) == [(file, data)]
    assert keep(tmp_path / "new", data, "again", text=text) == file
