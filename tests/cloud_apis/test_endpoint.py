from __future__ import annotations

from pathlib import Path

import pytest

from cloud_apis.endpoint import Endpoint, bind, read_api_key
from cloud_apis.errors import StartError


def test_the_key_is_the_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("  a key \nnot part of it\n")
    assert read_api_key(str(file)) == "a key"
    monkeypatch.delenv("CLOUD_APIS_KEY", raising=False)
    assert read_api_key(None) is None
    monkeypatch.setenv("CLOUD_APIS_KEY", "another")
    assert read_api_key(None) == "another"
    assert read_api_key(str(file)) == "a key"


@pytest.mark.parametrize("content", [b"", b"\n", b"\nkey", "schlüssel".encode(), b"\xff\xfe", b"a\tb", b"a\x00b"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(StartError) as caught:
        read_api_key(str(file))
    assert str(file) in str(caught.value)


def test_an_address_is_bound_once() -> None:
    with bind(Endpoint("127.0.0.1", 0)) as first:
        first.listen()
        with pytest.raises(StartError, match="in use"):
            bind(Endpoint("127.0.0.1", first.getsockname()[1]))


@pytest.mark.parametrize("host", ["256.1.1.1", "no such host", "203.0.113.1"])
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(StartError, match=host):
        bind(Endpoint(host, 0))
