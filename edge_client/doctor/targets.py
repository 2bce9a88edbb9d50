"""Where events go: can the broker and the webhooks be reached?"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from edge_client.config import EventSettings
from edge_client.doctor.finding import Finding, Verdict

_TIMEOUT_S = 5.0
_LATER = "events wait in the reads file until it is there; correct events.* if it never is"


def events(settings: EventSettings) -> Iterator[Finding]:
    """A finding per receiver of events; nothing is sent to them."""
    for name, file in (
        ("webhook secret", settings.webhook_secret_file),
        ("MQTT password", settings.mqtt_password_file),
    ):
        if file is not None and (problem := _unreadable(file)) is not None:
            yield Finding("events", Verdict.WRONG, f"{name}: {problem}", f"write it into {file}, readable only for you")
    ca_file = settings.ca_file
    if settings.mqtt_host is not None:
        port = settings.mqtt_port or (8883 if settings.mqtt_tls else 1883)
        name = f"MQTT {settings.mqtt_host}:{port}"
        yield _reach(name, settings.mqtt_host, port, ca_file, tls=settings.mqtt_tls)
    for url in settings.webhooks:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        # The path of a webhook may be its secret.
        yield _reach(f"webhook {parts.hostname}:{port}", parts.hostname or "", port, ca_file, tls=tls)


def _reach(name: str, host: str, port: int, ca_file: Path | None, *, tls: bool) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_S) as raw:
            if tls:
                context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
                context.wrap_socket(raw, server_hostname=host).close()
    except ssl.SSLCertVerificationError as e:
        advice = "name the CA's file: events.ca_file; a wrong clock makes certificates invalid, too"
        return Finding("events", Verdict.WRONG, f"{name}: bad certificate: {e.verify_message}", advice)
    except OSError as e:
        return Finding("events", Verdict.NOTE, f"{name} cannot be reached: {e.strerror or e}", _LATER)
    return Finding("events", Verdict.OK, f"{name} can be reached")


def _unreadable(file: Path) -> str | None:
    try:
        if not file.is_file():
            return f"there is no file {file}"
    except OSError as e:
        return f"{file}: {e.strerror}"
    if not os.access(file, os.R_OK):
        return f"this account may not read {file}"
    return None if file.stat().st_size else f"{file} is empty"
