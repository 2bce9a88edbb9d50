from __future__ import annotations

import pytest

from cloud_apis.contract import is_loopback, is_open_way


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.4", "", "example.org", "localhost.example.org", "127.0.0.1.example.org"]
)
def test_other_addresses(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("http://192.168.1.4:8080/yolov3", True),
        ("http://apis.example.org", True),
        ("http://localhost.example.org", True),
        ("http://[2001:db8::1]/crnn", True),
        ("https://apis.example.org/yolov3", False),
        ("http://127.0.0.1:8080/yolov3", False),
        ("http://[::1]:8080/yolov3", False),
        ("http://localhost/yolov3", False),
    ],
)
def test_only_http_to_another_machine_is_an_open_way(url: str, is_open: bool) -> None:
    assert is_open_way(url) is is_open
