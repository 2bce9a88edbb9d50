"""Asking the APIs themselves, over HTTP as their clients do, once Serve says that they run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from cloud_apis.contract import is_loopback
from deploy.cluster_api.state import Node
from deploy.errors import RolloutError
from deploy.settings import ClusterAddress

_PATH = "v2/health/ready"
_READY, _SILENT = "answers 200", "does not answer"
_TIMEOUT_S = 5.0
_PERIOD_S = 0.2
_TRY_S = 15.0
"""A proxy on a node that is new takes some seconds until it listens."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Where the APIs answered; None when no address of them can be reached from this machine."""

    base_url: str | None


def base_urls(target: ClusterAddress, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Where the APIs may be reached from here, the likeliest first, such as ``http://10.0.0.5:8000``.

    Serve listens on the head and on each node with a replica, on the address in the settings. A dashboard that is
    reached on loopback though the head is elsewhere is the end of a tunnel: the APIs are not behind it.
    """
    if not _is_any(target.http_host):
        hosts = [target.http_host]
    else:
        hosts = [node.ip for node in sorted(nodes, key=lambda node: not node.head) if node.alive]
        dashboard = urlsplit(target.address).hostname or "127.0.0.1"
        if not hosts or not is_loopback(dashboard) or any(map(is_loopback, hosts)):
            hosts.insert(0, dashboard)
    return tuple(f"http://{_bracketed(host)}:{target.http_port}" for host in dict.fromkeys(hosts))


def confirm(urls: Sequence[str], names: Sequence[str]) -> Answered:
    """Ask each API for its readiness until all have answered it.

    An address that cannot be reached from here says nothing about the APIs (a tunnel may lead to the dashboard alone):
    the next one is asked, and without any the answer is that. Where a connection is made, or another API answers, the
    address can be reached. Raises `RolloutError` when an API there is not ready, or does not answer, for 15 s.
    """
    with requests.Session() as session:
        session.trust_env = False
        end_s = time.monotonic() + _TRY_S
        last = ""
        while True:
            for url in urls:
                told = {name: _told(session, f"{url}/{name}/{_PATH}") for name in names}
                if all(one == _READY for one in told.values()):
                    return Answered(url)
                if any(told.values()):
                    last = ", ".join(f"{name} {one or _SILENT}" for name, one in told.items() if one != _READY)
            if time.monotonic() > end_s:
                if last:
                    raise RolloutError(f"Serve says that they run, but over HTTP {last}")
                return Answered(None)
            time.sleep(_PERIOD_S)


def _told(session: requests.Session, url: str) -> str:
    """What one API does, in words; nothing when no connection could be made."""
    try:
        return f"answers {session.get(url, timeout=_TIMEOUT_S, allow_redirects=False).status_code}"
    except requests.ConnectionError:  # of which ConnectTimeout is one
        return ""
    except requests.RequestException:
        return _SILENT


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
