"""Keys: missing, wrong, nearly right, in the wrong place; and whether they show up in logs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import requests

from cloud_apis.names import Api
from tools.faults.access.tries import Tries
from tools.faults.bombs.requests import picture
from tools.faults.row import Row
from tools.serving import Served, served

_GUARDED = ("/yolov3", "/v2/models/yolov3", "/v2/models/yolov3/ready", "/v2/models/nothing", "/metrics")
_JPEG = {"Content-Type": "image/jpeg"}


def rows(folder: Path) -> Iterator[Row]:
    """A server with a key."""
    key = secrets.token_urlsafe(24)
    file = folder / "key"
    file.write_text(f"{key}\n", encoding="ascii")
    arguments = ("--api-key-file", str(file), "--log-level", "debug")
    with served(apis=(Api.YOLOV3,), arguments=arguments) as server:
        yield _tried(server, key)
        _provoke(server, key)
        log = server.log.read_text(encoding="utf-8", errors="replace")
        tries = Tries("the key in the server's log, at level debug", "not there, whatever was asked")
        for name, secret in (("the key", key), ("most of it", key[: len(key) - 4])):
            tries.refused(name, secret not in log)
        yield tries.row()


def wrong_keys(key: str) -> dict[str, dict[str, str]]:
    """Headers that must not do, by what is wrong with them."""
    turned = key.swapcase()
    return {
        "no key": {},
        "an empty key": {"X-API-Key": ""},
        "another key": {"X-API-Key": secrets.token_urlsafe(24)},
        "a part of it": {"X-API-Key": key[:-1]},
        "more than it": {"X-API-Key": f"{key}x"},
        "other capitals": {"X-API-Key": turned},
        "two keys": {"X-API-Key": f"{key}, {key}"},
        "quotes": {"X-API-Key": f'"{key}"'},
        "bearer": {"Authorization": f"Bearer {key}"},
        "basic": {"Authorization": requests.auth._basic_auth_str("", key)},
        "a cookie": {"Cookie": f"X-API-Key={key}"},
        "a header that is alike": {"X_API_Key": key},
        "from this machine": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        "another path": {"X-Original-URL": "/v2/health/live", "X-Rewrite-URL": "/v2/health/live"},
    }


def _tried(server: Served, key: str) -> Row:
    tries = Tries("wrong or missing key", "401, and nothing of the body is read")
    for path in _GUARDED:
        method = "POST" if path == "/yolov3" else "GET"
        for name, headers in wrong_keys(key).items():
            for target in (path, f"{path}?X-API-Key={key}&api_key={key}"):
                answer = requests.request(
                    method, server.url + target, data=picture(), headers=_JPEG | headers, timeout=30
                )
                tries.refused(f"{name} at {path}", answer.status_code == 401 and "boxes" not in answer.text)
    right = requests.post(f"{server.url}/yolov3", picture(), headers=_JPEG | {"x-api-key": key}, timeout=30)
    tries.welcome("the right key", right.ok)
    tries.welcome("health", requests.get(f"{server.url}/v2/health/live", timeout=30).ok)
    return tries.row()


def _provoke(server: Served, key: str) -> None:
    """Have the server write what it can about requests with the key."""
    for path, body in (("/yolov3", b"junk"), ("/nothing", b""), (f"/{key}", b""), ("/yolov3", b"")):
        requests.post(server.url + path, body, headers=_JPEG | {"X-API-Key": key}, timeout=30)
    requests.request("BREW", f"{server.url}/yolov3", headers={"X-API-Key": key}, timeout=30)
