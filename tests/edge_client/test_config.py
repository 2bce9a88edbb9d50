from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "config" / "edge.yaml"


def test_the_shipped_file_states_the_defaults() -> None:
    assert load_settings(SHIPPED) == load_settings(None)


def test_the_shipped_file_has_every_key_and_a_comment_for_each() -> None:
    values = yaml.safe_load(SHIPPED.read_text())
    lines = SHIPPED.read_text().splitlines()
    for section, field in EdgeSettings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        assert list(values[section]) == list(model.model_fields)
        assert all(f.description for f in model.model_fields.values())
        for key in model.model_fields:
            index = next(i for i, line in enumerate(lines) if line.startswith(f"  {key}:"))
            assert lines[index - 1].strip().startswith("#")


def test_overrides_go_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text("pool:\n  max_in_flight: 3\n  pause_s: 2.0\nsource:\n")
    settings = load_settings(file, {"pool": {"max_in_flight": 5}, "source": {"rate": "full"}})
    assert (settings.pool.max_in_flight, settings.pool.pause_s, settings.source.rate) == (5, 2.0, "full")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pool:\n  max_inflight: 3\n", ["line 2", "pool.max_inflight", "unknown key", "max_in_flight?"]),
        ("\npol:\n  x: 1\n", ["line 2", "pol", "unknown key", "did you mean pool?"]),
        ("source:\n  rate: fast\n", ["line 2", "source.rate", "'fast'"]),
        ("pool:\n  max_in_flight: 0\n", ["line 2", "pool.max_in_flight", "found 0"]),
        ("pool:\n  max_in_flight: many\n", ["line 2", "pool.max_in_flight", "'many'"]),
        ("pool: 3\n", ["line 1", "pool", "found 3"]),
        ("pool:\n  read_timeout_s: .nan\n", ["line 2", "pool.read_timeout_s"]),
        ("apis:\n  yolov3_endpoint: http://a\n", ["apis", "set both"]),
        ("apis:\n  yolov3_endpoint: ftp://a\n  crnn_endpoint: http://a\n", ["line 2", "http://"]),
        ("- a\n", ["expected sections"]),
        ("a: [1\n", ["line 2", "not valid YAML"]),
        ("pool: !!python/object/apply:os.system ['true']\n", ["not valid YAML"]),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_says_where(tmp_path: Path, text: str, parts: list[str]) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    for part in parts:
        assert part in message


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_settings(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_settings(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(binary)


def test_settings_do_not_change_after_loading() -> None:
    settings = load_settings(None)
    with pytest.raises(ValueError, match="frozen"):
        settings.pool.max_in_flight = 3


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("offline: embedded\n", "embedded"),
        ("offline: off\n", "off"),
        ("offline:\n  mode: off\n", "off"),
        ("offline:\n", "spool"),
    ],
)
def test_the_way_to_go_on_offline_may_be_named_alone(tmp_path: Path, text: str, mode: str) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(text)
    assert load_settings(file).offline.mode == mode


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("offline: sometimes\n", "offline.mode: .*'sometimes'"),
        ("apis:\n  interface: a-very-long-interface\n", "line 2.*ip link"),
        ("apis:\n  source_address: modem\n", "line 2.*source_address"),
        ("apis:\n  source_address: 10.0.0.2\n  interface: wwan0\n", "not both"),
    ],
)
def test_wrong_ways_out_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_settings(file)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://host:99999", "port from 1 to 65535"),
        ("http://host:abc", "port from 1 to 65535"),
        ("http://host:0", "port from 1 to 65535"),
        ("http://[::1/TOKEN", "must be a URL such as"),
        ("http:///TOKEN", "must name a host"),
        ("http://:80/TOKEN", "must name a host"),
        ("http://a b/TOKEN", "without blanks"),
        ("hooks/TOKEN", "must begin with http:// or https://"),
    ],
)
def test_urls_that_nothing_can_be_sent_to_are_refused_and_not_repeated(tmp_path: Path, url: str, message: str) -> None:
    file = tmp_path / "edge.yaml"
    for text in (
        f"apis:\n  yolov3_endpoint: '{url}'\n  crnn_endpoint: http://a\n",
        f"apis:\n  yolov3_endpoint: http://a\n  crnn_endpoint: '{url}'\n",
        f"events:\n  webhooks: [http://a, '{url}']\n",
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=f"line [23]: .*{message}") as caught:
            load_settings(file)
        assert "TOKEN" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://a", "https://[::1]:8443/x", "http://10.0.0.1:8080/", "https://a.example/b?c=d"]
)
def test_usual_urls_are_taken(url: str) -> None:
    settings = load_settings(
        None, {"apis": {"yolov3_endpoint": url, "crnn_endpoint": url}, "events": {"webhooks": [url]}}
    )
    assert (settings.apis.crnn_endpoint, settings.events.webhooks) == (url, (url,))


def test_one_webhook_needs_no_list(tmp_path: Path) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text("events:\n  webhooks: https://hooks.example.org/TOKEN\n")
    assert load_settings(file).events.webhooks == ("https://hooks.example.org/TOKEN",)


@pytest.mark.parametrize(
    "text",
    [
        "events:\n  webhooks: {url: https://hooks.example.org/TOKEN}\n",
        "events:\n  webhooks: [[https://hooks.example.org/TOKEN]]\n",
        "events:\n  kinds: TOKEN\n",
        "events: https://hooks.example.org/TOKEN\n",
        "apis:\n  yolov3_endpoint: [https://plates.example.org/TOKEN]\n",
        "apis:\n  key_unencrypted: TOKEN\n",
        "apis:\n  source_address: TOKEN\n",
        "apis: TOKEN\n",
    ],
)
def test_what_may_be_a_secret_is_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"line [12]: (apis|events)") as caught:
        load_settings(file)
    assert "TOKEN" not in str(caught.value)


@pytest.mark.parametrize("word", ["off", "'off'", "OFF"])
def test_the_web_page_may_be_off_without_quotes(tmp_path: Path, word: str) -> None:
    file = tmp_path / "edge.yaml"
    file.write_text(f"web:\n  address: {word}\n")
    assert load_settings(file).web.address == "off"
    file.write_text("web:\n  address: on\n")
    with pytest.raises(ConfigError, match=r"line 2: web\.address"):
        load_settings(file)
