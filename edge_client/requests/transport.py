"""One POST to a prediction API: bounded in time and size, every failure as one of our errors."""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from cloud_apis.contract import is_loopback
from edge_client.config import PoolSettings
from edge_client.errors import (
    ApiError,
    ApiGarbageError,
    ApiOverloadedError,
    ApiRefusedError,
    ApiTimeoutError,
    ApiUnreachableError,
)
from edge_client.requests.routing import RoutedAdapter, WayOut

_MAX_ANSWER_BYTES = 4 * 2**20
_CHUNK_BYTES = 65536
_PROXY_ERRORS = frozenset({500, 502})
"""What proxies answer for a server that went away: Ray Serve's the first, most others the second."""
_CAUSES = (
    ("refused", "connection refused"),
    ("errno 101]", "no network"),
    ("errno 113]", "no route"),
    ("resolve", "unknown host"),
    ("certificate", "bad TLS certificate"),
)


@dataclass(frozen=True, slots=True)
class Body:
    """What is posted: raw bytes with their type, or parts of a form (name, JPEG)."""

    data: bytes | None = None
    content_type: str | None = None
    parts: Sequence[tuple[str, bytes]] = field(default=())

    @property
    def size(self) -> int:
        """Bytes of what is sent, without what wraps it."""
        return len(self.data or b"") + sum(len(part) for _, part in self.parts)


@dataclass(frozen=True, slots=True)
class Reply:
    """The decoded JSON of an answer, and how long the server says that it took, without the way there and back."""

    answer: object
    server_s: float | None = None
    connected: bool = False
    """Whether a new connection had to be made for it."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a URL is asked: by which connections, through which proxies, trusting whom."""

    adapter: RoutedAdapter
    proxies: Mapping[str, str]
    verify: bool | str


class _FellError(ApiRefusedError):
    """A proxy says that the server behind it fell while it answered; our APIs would have said what was wrong."""


class Transport:
    """One POST after the other from all threads, with the timeouts, key, trust and way out that they share.

    Connections are kept alive, and the one used last is used first: few ones stay warm rather than many go cold.
    """

    def __init__(
        self,
        settings: PoolSettings,
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        way_out: WayOut | None = None,
    ) -> None:
        self._settings = settings
        self._headers = {**requests.utils.default_headers(), **(headers or {})}
        self._ca_file = ca_file
        self._way_out = way_out or WayOut()
        self._lock = threading.Lock()
        self._adapters: dict[bool, RoutedAdapter] = {}
        self._ways: dict[str, _Way] = {}

    def renew(self) -> None:
        """Let no connection of before be used again: the network may have changed below them."""
        with self._lock:
            adapters, self._adapters, self._ways = self._adapters, {}, {}
        for adapter in adapters.values():
            adapter.close()  # what is under way ends as it may

    def post(self, url: str, body: Body) -> object:
        """Post and give the decoded JSON of the answer; see `ask`."""
        return self.ask(url, body).answer

    def ask(self, url: str, body: Body, timeout_s: float | None = None, *, again: bool = True) -> Reply:
        """Post and give the answer, which may take ``timeout_s`` (by default as set).

        A connection that was dropped, or a server that fell behind its proxy, is tried once more after a moment, unless
        ``again`` is false. Raises `ApiUnreachableError`, `ApiTimeoutError`, `ApiOverloadedError`, `ApiRefusedError` or
        `ApiGarbageError`.
        """
        timeout_s = timeout_s if timeout_s is not None else self._settings.read_timeout_s
        try:
            return self._post(url, body, timeout_s)
        except _FellError:
            if not again:
                raise
        except (requests.RequestException, HTTPError, OSError) as error:
            failure = _failure(error, url, self._way_out)
            passing = isinstance(error, (requests.ConnectionError, HTTPError))
            if isinstance(error, requests.Timeout) or not passing or not again:
                raise failure from None
        time.sleep(random.uniform(0.0, self._settings.retry_jitter_s))
        try:
            return self._post(url, body, timeout_s)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _failure(error, url, self._way_out) from None

    def _post(self, url: str, body: Body, timeout_s: float) -> Reply:
        settings = self._settings
        end_s = time.monotonic() + settings.connect_timeout_s + timeout_s
        way = self._way(url)
        # A session would look up proxies, cookies and redirections for each frame, at the price of the rest.
        request = requests.PreparedRequest()
        request.prepare(
            method="POST",
            url=url,
            headers={**self._headers, "Content-Type": body.content_type} if body.content_type else self._headers,
            data=body.data,
            files=[(name, (f"{i}.jpg", jpeg, "image/jpeg")) for i, (name, jpeg) in enumerate(body.parts)] or None,
        )
        timeouts_s = (settings.connect_timeout_s, timeout_s)
        way.adapter.take_connected()
        with way.adapter.send(
            request, stream=True, timeout=timeouts_s, verify=way.verify, proxies=way.proxies
        ) as response:
            answer = _read(response, end_s, url)
            return Reply(_judge(response, answer, url), _server_s(response), way.adapter.take_connected())

    def _way(self, url: str) -> _Way:
        with self._lock:
            if url not in self._ways:
                self._ways[url] = self._new_way(url)
            return self._ways[url]

    def _new_way(self, url: str) -> _Way:
        loopback = is_loopback(urlsplit(url).hostname or "")
        if loopback not in self._adapters:
            self._adapters[loopback] = RoutedAdapter(
                self._way_out, pool_connections=2, pool_maxsize=self._settings.max_in_flight
            )
        with requests.Session() as session:
            session.trust_env = not loopback  # no proxy before this machine
            found = session.merge_environment_settings(url, {}, True, self._ca_file, None)
        return _Way(self._adapters[loopback], dict(found["proxies"]), found["verify"] or True)


def _read(response: requests.Response, end_s: float, url: str) -> bytes:
    """The answer's bytes; a server that drips them must be done by ``end_s``."""
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > _MAX_ANSWER_BYTES:
            raise ApiGarbageError(f"{_place(url)} answers with more than {_MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > end_s:
            raise ApiTimeoutError(f"{_place(url)} does not finish its answer in time")
    return b"".join(pieces)


def _judge(response: requests.Response, answer: bytes, url: str) -> object:
    status = response.status_code
    if status in {429, 503}:
        wish = response.headers.get("Retry-After", "")
        raise ApiOverloadedError(f"{_place(url)} is overloaded ({status})", float(wish) if wish.isdecimal() else None)
    if status in {401, 403}:
        raise ApiRefusedError(f"{_place(url)} wants another API key ({status}): set DASHCAM_API_KEY or api_key_file")
    if status != 200:
        message = _message(answer)
        fell = status in _PROXY_ERRORS and not message
        raise (_FellError if fell else ApiRefusedError)(f"{_place(url)} answers {status}{message}", status)
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        raise ApiGarbageError(f"{_place(url)} answers with something that is not JSON") from None


def _server_s(response: requests.Response) -> float | None:
    """What a ``Server-Timing`` header (W3C Server Timing) states in milliseconds."""
    for parameter in response.headers.get("Server-Timing", "").replace(",", ";").split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "dur":
            try:
                took_s = float(value) / 1000
            except ValueError:
                return None
            return took_s if math.isfinite(took_s) and took_s >= 0 else None
    return None


def _message(answer: bytes) -> str:
    try:
        message = json.loads(answer)["error"]["message"]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return ""
    return f": {str(message)[:120]}"


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}{parts.path}" if parts.port else f"{parts.hostname}{parts.path}"


def _failure(error: Exception, url: str, way_out: WayOut) -> ApiError:
    if isinstance(error, (requests.ReadTimeout, ReadTimeoutError)):
        return ApiTimeoutError(f"{_place(url)} does not answer in time")
    if isinstance(error, requests.Timeout):
        return ApiUnreachableError(f"{_place(url)} cannot be reached in time")
    if (meant := way_out.explain(str(error))) is not None:
        return ApiUnreachableError(meant)
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return ApiUnreachableError(f"{_place(url)}: {error.strerror or error}")  # such as certificates that went away
    for sign, meaning in _CAUSES:
        if sign in str(error).lower():
            return ApiUnreachableError(f"{_place(url)}: {meaning}")
    return ApiUnreachableError(f"{_place(url)}: connection lost")
