"""YAML that unfolds, nests or is spelt so that it would break or block its reader."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import yaml

import cloud_apis.bounded_yaml
import edge_client.bounded_yaml
from cloud_apis.errors import StartError
from cloud_apis.settings import load_settings as load_apis
from edge_client.config_file import load_settings as load_edge
from edge_client.errors import ConfigError

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcde", "bcdef", strict=True)
)
BAD = ["!!bool x", "2020-13-45", "!!int ''", "[" * 900 + "]" * 900, "{a: " * 40 + "}" * 40, "!!python/name:os.system"]


@pytest.mark.parametrize("module", [cloud_apis.bounded_yaml, edge_client.bounded_yaml])
class TestBounds:
    def test_ordinary_text_is_read_with_its_aliases(self, module: ModuleType) -> None:
        text = "a: &x {b: [1, 2.5, true, null]}\nc: *x\nd: {<<: *x, e: 2026-05-01}\n"
        assert module.load(text) == yaml.safe_load(text)
        assert module.load("") is None

    @pytest.mark.parametrize("text", [LAUGHS, *BAD])
    def test_the_rest_is_an_error_of_yaml(self, module: ModuleType, text: str) -> None:
        with pytest.raises(yaml.YAMLError):
            module.load(text)

    @pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "x: {y: 1, 'y': 1}", "[{1: a, 1: a}]"])
    def test_a_key_that_stands_there_twice_is_refused(self, module: ModuleType, text: str) -> None:
        with pytest.raises(yaml.YAMLError, match="stands there twice"):
            module.load(text)

    def test_a_key_in_place_of_one_of_an_alias_is_none_twice(self, module: ModuleType) -> None:
        assert module.load("a: &x {b: 1}\nc: &y {<<: *x, b: 2}\nd: {<<: *y, b: 3}\n")["d"] == {"b": 3}
        assert module.load("- {b: 1}\n- {b: 1}\n") == [{"b": 1}, {"b": 1}]

    def test_a_long_text_is_refused(self, module: ModuleType) -> None:
        with pytest.raises(yaml.YAMLError, match="characters"):
            module.load("#" * (module.MAX_CHARACTERS + 1))


@pytest.mark.parametrize("value", BAD)
def test_settings_say_so_in_one_line(tmp_path: Path, value: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"source: {value}\n{LAUGHS}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"settings\.yaml line \d+: not valid YAML") as edge:
        load_edge(file)
    with pytest.raises(StartError, match=r"settings\.yaml is not valid YAML") as apis:
        load_apis(file)
    assert "\n" not in f"{edge.value}{apis.value}"


def test_both_rooms_have_the_same_reader() -> None:
    """The device may import nothing of the cloud but its contract."""
    files = [Path(str(module.__file__)) for module in (cloud_apis.bounded_yaml, edge_client.bounded_yaml)]
    one, other = (file.read_text(encoding="utf-8").partition("\n")[2] for file in files)
    assert one == other
