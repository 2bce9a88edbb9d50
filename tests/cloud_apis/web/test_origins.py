"""Foreign pages cannot ask the APIs with a visitor's browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cloud_apis.web.app import create_app
from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.cloud_apis.serving import running, tiny_settings

PICTURE = grey_jpeg(scene())


def post(url: str, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(
        f"{url}/yolov3", PICTURE, headers={"content-type": "image/jpeg", **sent}, timeout=30
    ).status_code


@pytest.fixture(scope="module")
def local(models: Path) -> Iterator[str]:
    with running(create_app(tiny_settings(models), local=True)) as address:
        yield address


def test_pages_of_other_sites_are_refused(url: str) -> None:
    own = url.partition("://")[2]
    assert post(url) == 200
    assert post(url, origin=url, sec_fetch_site="same-origin") == 200
    assert post(url, origin=url, host=own.upper()) == 200
    for origin in ("http://evil.example", "null", f"{url}0", "http://localhost"):
        assert post(url, origin=origin) == 403
    assert post(url, sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    # A link on another site that leads here is no fault.
    answer = requests.get(url, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, timeout=30)
    assert answer.ok


def test_a_server_of_one_machine_answers_to_no_other_name(url: str, local: str) -> None:
    assert post(url, host="apis.example") == 200
    assert post(local, host="apis.example", origin="http://apis.example") == 403
    for host in ("localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]", "[::1]:8080"):
        assert post(local, host=host) == 200
