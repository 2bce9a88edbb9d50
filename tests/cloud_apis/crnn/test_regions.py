"""The forms of plates by region: the shipped file, and what is refused in another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_apis.crnn.postprocess import ALPHABET
from cloud_apis.crnn.regions import FOREIGN, MAX_TEXT, choose, load_regions, read_regions, shipped_regions
from cloud_apis.errors import StartError

SHIPPED = read_regions(shipped_regions())
ENTRY = {"name": "Nowhere", "source": "an atlas", "patterns": ["[A-Z]{2}\\d{4}"], "examples": ["AB1234"]}


def written(folder: Path, **changes: object) -> Path:
    file = folder / "regions.yaml"
    file.write_text(yaml.safe_dump({"regions": {"XX": ENTRY | changes}}), encoding="utf-8")
    return file


def test_many_regions_are_shipped_and_their_examples_fit() -> None:
    assert len(SHIPPED) >= 30
    entries = yaml.safe_load(shipped_regions().read_text(encoding="utf-8"))["regions"]
    for code, entry in entries.items():
        assert entry["source"].startswith("Vehicle registration plates of")
        for example in entry["examples"]:
            assert SHIPPED[code].has(example), (code, example)


@pytest.mark.parametrize(
    ("code", "text", "fits"),
    [
        ("GB", "AB12CDE", True),
        ("GB", "AB120DE", False),
        ("GB", "AB12CDEF", False),
        ("RO", "B123ABC", True),
        ("RO", "XX12ABC", False),
        ("RO", "CJ12OBC", False),
        ("ES", "1234ABC", False),
        ("BR", "ABC1D23", True),
        ("NO", "AB12345", True),
    ],
)
def test_forms(code: str, text: str, fits: bool) -> None:
    assert SHIPPED[code].has(text) is fits


def test_regions_are_chosen_by_code_in_any_case_and_once() -> None:
    assert [r.code for r in load_regions(["gb", " DE ", "GB"])] == ["GB", "DE"]
    assert load_regions([]) == ()


def test_an_unknown_region_is_answered_with_the_known_ones() -> None:
    with pytest.raises(StartError, match=r"no region 'UK'; known are .*\bGB\b.*\bUS-CA\b"):
        load_regions(["UK"])


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[A-Z", "not a regular expression"),
        ("[A-Z]{2}{3}", "not a regular expression"),
        ("(A+)+", "may have A-Z"),
        ("A.*", "may have A-Z"),
        ("(?P<a>A)", "may have A-Z"),
        ("(?:A)", "may have A-Z"),
        ("(?=A)", "may have A-Z"),
        ("(?A)", "group that repeats"),
        ("((A|AA){1,9}){1,9}", "group that repeats"),
        ("\\w\\d", "may have A-Z"),
        ("A?" * 9, "more than 8 parts"),
        ("[A-Z]{0,12}" * 9, "more than 8 parts"),
        ("A" * 301, "may have A-Z"),
        ("ab", "may have A-Z"),
        ("", "may have A-Z"),
    ],
)
def test_a_bad_pattern_is_refused_with_its_place(tmp_path: Path, pattern: str, message: str) -> None:
    file = written(tmp_path, patterns=["A", pattern])
    with pytest.raises(StartError) as caught:
        read_regions(file)
    text = str(caught.value)
    assert text.startswith(f"{file}: regions.XX.patterns")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("regions: [", "not valid YAML"),
        ("regions: {}\nothers: {}", "others"),
        ("[]", "the file"),
        ("regions:\n  NO: {}", "in quotes"),
        ("regions:\n  xx: {}", "xx"),
        ("regions:\n  XX: {name: X}", "regions.XX.source"),
        ("regions:\n  XX: {name: X, source: Y, patterns: [A], examples: [1]}", "regions.XX.examples.0"),
        ("regions:\n  XX: {name: X, source: Y, patterns: [A], examples: [B]}", "the example 'B'"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "regions.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(StartError) as caught:
        read_regions(file)
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot read the regions .*none.yaml"):
        load_regions(["GB"], tmp_path / "none.yaml")


def test_no_pattern_takes_long(tmp_path: Path) -> None:
    """The worst pattern that is let in: every part may be absent, and nothing matches."""
    file = written(tmp_path, patterns=["[A-Z]{0,12}" * 8 + "\\d"], examples=["1"])
    (region,) = load_regions(["XX"], file)
    started_s = time.process_time()
    assert not region.has("A" * MAX_TEXT)
    assert time.process_time() - started_s < 5  # a runaway pattern would take hours
    assert not region.has("A" * 10_000)


candidates = st.lists(
    st.tuples(st.text(alphabet=ALPHABET, max_size=9), st.floats(1e-6, 1)),
    min_size=1,
    max_size=8,
    unique_by=lambda c: c[0],
).map(lambda found: sorted(((t, p / (sum(q for _, q in found) + 0.1)) for t, p in found), key=lambda c: -c[1]))


@settings(max_examples=100, deadline=None)
@given(candidates, st.sampled_from(sorted(SHIPPED)))
def test_the_choice_follows_bayes(found: list[tuple[str, float]], code: str) -> None:
    region = SHIPPED[code]
    choice = choose(found, [region])
    text, p = found[choice.index]
    assert 0 <= choice.probability <= 1
    if choice.index:
        # Only a text of the region's form may go before a likelier one, and only within the odds of foreign plates.
        assert region.has(text)
        assert not region.has(found[0][0])
        assert p >= FOREIGN * found[0][1]
    elif region.has(text):
        assert choice.probability >= p - 1e-9


def test_the_likeliest_text_of_the_form_is_chosen() -> None:
    choice = choose([("A012CDE", 0.5), ("AO12CDE", 0.3), ("AD12CDE", 0.1)], [SHIPPED["GB"]])
    assert choice.index == 1
    assert choice.probability == pytest.approx(0.3 / (0.05 + 0.3 + 0.1 + 0.1))
    assert choose([("A012CDE", 0.5), ("AO12CDE", 0.03)], [SHIPPED["GB"]]).index == 0
