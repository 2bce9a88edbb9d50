"""Who may see the page: anybody on this machine, and from elsewhere those who know the key."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from cloud_apis.contract import is_loopback
from edge_client.errors import ConfigError

KEY_VARIABLE = "DASHCAM_WEB_KEY"
COOKIE = "dashcam_session"
_MIN_KEY_CHARACTERS = 8
_TRIES, _TRIES_PERIOD_S = 10, 60.0


def load_key(environment: Mapping[str, str], key_file: Path | None) -> str | None:
    """The key of the page: from the variable DASHCAM_WEB_KEY, else from the file, else None.

    Raises:
        ConfigError: the file cannot be read, or the key is too short to be one.
    """
    key = environment.get(KEY_VARIABLE, "").strip()
    if not key and key_file is not None:
        try:
            key = key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as e:
            reason = e.strerror if isinstance(e, OSError) else "it is not a text"
            raise ConfigError(f"cannot read the web page's key file {key_file}: {reason}") from e
        if not key:
            raise ConfigError(f"the web page's key file {key_file} is empty; write a key into it")
    if key and len(key) < _MIN_KEY_CHARACTERS:
        raise ConfigError(f"the web page's key is too short; take at least {_MIN_KEY_CHARACTERS} characters")
    return key or None


def parse_address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `[IPv6]:PORT` as (host, port); port 0 is a free one.

    Raises:
        ConfigError: it is not of that form.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"the web page's address {text!r} is not HOST:PORT, such as 127.0.0.1:8081, or off")
    return host, int(port)


def is_same_origin(origin: str | None, fetch_site: str | None, host: str | None) -> bool:
    """Whether a request that changes something comes from the page itself.

    Browsers state the origin with each POST (https://fetch.spec.whatwg.org/#origin-header), newer ones the relation of
    the two sites as well. A request with neither does not come from a page, and is refused too.
    """
    if fetch_site is not None and fetch_site != "same-origin":
        return False
    if origin is None:
        return fetch_site == "same-origin"
    scheme, _, authority = origin.partition("://")
    return scheme in ("http", "https") and bool(host) and authority.lower() == (host or "").strip().lower()


class Gate:
    """Decides on requests. The session cookie is derived from the key: it holds until the key changes."""

    def __init__(self, key: str | None) -> None:
        """Without a key everything passes that names this machine as its host."""
        self._key = None if key is None else key.encode()
        self._session = "" if self._key is None else hmac.new(self._key, b"dashcam page 1", hashlib.sha256).hexdigest()
        self._lock = threading.Lock()
        self._wrong: deque[float] = deque(maxlen=_TRIES)

    @property
    def has_key(self) -> bool:
        """Whether a key is asked for."""
        return self._key is not None

    def host_allowed(self, host_header: str | None) -> bool:
        """Whether a request may name that host.

        Without a key the page is for this machine alone; a request that reaches it under another name comes
        from a foreign page whose name was bent to 127.0.0.1 (DNS rebinding).
        """
        if self._key is not None:
            return True
        if not host_header:
            return False
        host, _, port = host_header.rpartition(":")
        name = host if host and not port.endswith("]") else host_header
        return is_loopback(name.strip().lower().removeprefix("[").removesuffix("]"))

    def key_fits(self, tried: str) -> bool | None:
        """Whether this is the key, in constant time; None when there were too many wrong ones just now."""
        if self._key is None:
            return True
        now_s = time.monotonic()
        with self._lock:
            if len(self._wrong) == _TRIES and now_s - self._wrong[0] < _TRIES_PERIOD_S:
                return None
        fits = hmac.compare_digest(tried.strip().encode(), self._key)
        if not fits:
            with self._lock:
                self._wrong.append(now_s)
        return fits

    def session_fits(self, cookie_header: str | None) -> bool:
        """Whether the request carries the session cookie of this key."""
        if self._key is None:
            return True
        try:
            morsel = SimpleCookie(cookie_header or "").get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self._session.encode())

    def cookie(self) -> str:
        """The value of `Set-Cookie` for a visitor who knew the key; it holds for 90 days."""
        return f"{COOKIE}={self._session}; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax"
