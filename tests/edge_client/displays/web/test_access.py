"""Who may see the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_client.displays.web.access import COOKIE, Gate, load_key, parse_address
from edge_client.errors import ConfigError

KEY = "correct horse battery"


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8081", ("127.0.0.1", 8081)), ("[::1]:80", ("::1", 80)), ("car.local:0", ("car.local", 0))],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "8081", ":8081", "localhost", "localhost:", "localhost:http", "a:70000", "a:-1", "a:٣"]
)
def test_wrong_addresses(text: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        parse_address(text)


def test_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n", encoding="utf-8")
    assert load_key({}, None) is None
    assert load_key({}, file) == KEY
    assert load_key({"DASHCAM_WEB_KEY": "another key"}, file) == "another key"


@pytest.mark.parametrize("content", [b"", b"  \n", b"short", b"\xff\xfe\xff"])
def test_keys_that_are_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        load_key({}, file)
    with pytest.raises(ConfigError):
        load_key({}, tmp_path / "missing")


@pytest.mark.parametrize("host", ["localhost", "localhost:8081", "127.0.0.1:9", "[::1]:8081", "LOCALHOST:1", "[::1]"])
def test_without_a_key_this_machine_may_be_named(host: str) -> None:
    assert Gate(None).host_allowed(host)


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8081", "127.0.0.1.evil.example:8081", "10.0.0.2"]
)
def test_without_a_key_nothing_else_may_be_named(host: str | None) -> None:
    assert not Gate(None).host_allowed(host)
    assert Gate(KEY).host_allowed(host)  # there the key decides


def test_the_key_opens_and_its_cookie_too() -> None:
    gate = Gate(KEY)
    assert gate.key_fits(KEY)
    assert not gate.key_fits("wrong")
    cookie = gate.cookie()
    assert "HttpOnly" in cookie
    assert "SameSite=" in cookie
    assert KEY not in cookie
    pair = cookie.split(";")[0]
    assert gate.session_fits(f"other=1; {pair}")
    assert Gate(KEY).session_fits(pair)  # also after a restart
    assert not Gate("another key").session_fits(pair)
    assert not any(map(gate.session_fits, (None, "", f"{COOKIE}=", f"{COOKIE}=abc", f"{COOKIE}=\u00e9", "=;=;")))


def test_guessing_is_slowed_down() -> None:
    gate = Gate(KEY)
    assert [gate.key_fits(f"guess {n}") for n in range(10)] == [False] * 10
    assert gate.key_fits("guess 10") is None
    assert gate.key_fits(KEY) is None  # or a guesser could see that it was right
