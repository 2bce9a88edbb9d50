"""URLs as settings and options have them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from deploy.errors import SettingsError


def http_url(url: str) -> str:
    """The URL, if it is ``http(s)://HOST[:PORT][/PATH]``; else raises `SettingsError`.

    One with a user or password is refused without showing it: what is in settings is shown and logged elsewhere.
    """
    without_user(url)
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or any(sign.isspace() for sign in url):
        raise SettingsError(f"{url!r} is no URL of a server: write http://HOST:PORT or https://HOST")
    return url


def without_user(url: str) -> str:
    """The URL, unless it has a user or password in it: then raises `SettingsError` that does not show it."""
    authority = re.split(r"[/?#]", url.partition("://")[2] or url, maxsplit=1)[0]
    # A secret may hold a slash: then the @ comes after what is read as the host.
    if "@" in url and ("@" in authority or ":" in authority):
        raise SettingsError("a URL with a user or password in it is refused: secrets do not belong into settings")
    return url
