"""The APIs as a process of their own."""

from __future__ import annotations

import pytest
import requests

from cloud_apis.names import Api
from cloud_apis.settings import load_settings
from tools.serving import ServeError, served


def test_it_offers_what_is_asked_for_until_it_is_left() -> None:
    with served(apis=[Api.COLOURS]) as server:
        assert requests.get(f"{server.url}/v2/health/ready", timeout=30).ok
        assert requests.post(f"{server.url}/yolov3", b"", timeout=30).status_code == 404
    assert server.process.returncode is not None


def test_it_says_why_it_does_not_start() -> None:
    settings = load_settings().model_copy(update={"models": "/nowhere/at/all"})
    with pytest.raises(ServeError, match="/nowhere/at/all"), served(settings):
        pass
