"""What may stand as an address of the network."""

from __future__ import annotations

from urllib.parse import urlsplit


def http_url(value: str) -> str:
    """The URL itself, once it is sure that a request can be sent there.

    Raises `ValueError` that says what is wrong with it, without the URL: it may hold a secret.
    """
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    if not value.isprintable() or " " in value:
        raise ValueError("must be a URL without blanks and control characters")
    try:
        parts = urlsplit(value)
    except ValueError:
        raise ValueError("must be a URL such as https://plates.example.org/yolov3 or http://[::1]:8080") from None
    if not parts.hostname:
        raise ValueError("must name a host: https://plates.example.org/yolov3")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("must have a port from 1 to 65535, or none")
    return value
