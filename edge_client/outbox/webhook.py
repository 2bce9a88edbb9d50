"""Events by HTTP POST, as JSON.

The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) is the event's own key: a receiver that has
seen it has the event already. With a secret the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`
are those of the Standard Webhooks (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from edge_client.outbox.box import QueuedEvent
from edge_client.outbox.receiver import DeliveryError, RefusedEventError
from edge_client.requests.routing import RoutedAdapter, WayOut

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_ANSWER_BYTES = 4096
_NEVER = frozenset({400, 405, 410, 411, 413, 414, 415, 422, 501})
"""Answers that will be the same the next time; 401, 403 and 404 are set right by people."""


class Webhook:
    """One URL that gets events."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        secret: bytes | None = None,
        ca_file: str | None = None,
        way_out: WayOut | None = None,
    ) -> None:
        """`secret` signs each event; `ca_file` is a PEM file of certificates to trust instead of the usual ones.

        `way_out` is how events leave this machine; those for itself need none, and no proxy.
        """
        self._url = url
        self._timeout_s = timeout_s
        self._secret = secret
        self._session = requests.Session()
        host = urlsplit(url).hostname or ""
        if host in _LOOPBACK:
            self._session.trust_env = False
        elif way_out is not None:
            self._session.mount("http://", RoutedAdapter(way_out))
            self._session.mount("https://", RoutedAdapter(way_out))
        self._ca_file = ca_file
        self.name = f"webhook-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        self.shown_name = f"the webhook at {host}"
        self.batch = 1

    def deliver(self, events: Sequence[QueuedEvent]) -> int:
        """Posts the first event; see `Receiver`."""
        event = events[0]
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{event.key}"'}
        if self._secret is not None:
            headers |= signature(self._secret, event.key, int(time.time()), event.body)
        try:
            # A redirection would send reads, and the URL's own credentials, to somebody else.
            with self._session.post(
                self._url,
                data=event.body,
                headers=headers,
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
                verify=self._ca_file,
            ) as answer:
                answer.raw.read(_MOST_ANSWER_BYTES)  # so that the connection can be used again
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            raise DeliveryError(_reason(error)) from None
        if 200 <= answer.status_code < 300:
            return 1
        if answer.status_code in _NEVER:
            raise RefusedEventError(f"it answered {answer.status_code}")
        raise DeliveryError(f"it answered {answer.status_code}", _retry_after_s(answer.headers))

    def close(self) -> None:
        """Gives the connection up."""
        self._session.close()


def signature(secret: bytes, key: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of the Standard Webhooks: HMAC-SHA-256 of `key.timestamp.body`, base64, behind `v1,`."""
    signed = hmac.new(secret, b"%s.%d.%s" % (key.encode(), timestamp, body), hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "").strip()
    return float(value) if value.isascii() and value.isdecimal() else None


def _reason(error: Exception) -> str:
    """A few words without the URL, which the messages of requests repeat."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted, or TLS failed"
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "there is no connection to it"
    return type(error).__name__
