"""The requests to a cluster's dashboard, each failure as one of our errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from deploy.cluster_api.state import Node, Serving, parse_nodes, parse_serving, reason
from deploy.errors import (
    ClusterDeniedError,
    ClusterError,
    ClusterRefusedError,
    ClusterUnreachableError,
    ClusterVersionError,
)

LEAST_VERSION: Final = (2, 60)
"""Older Serve has no `max_surge_percent` and no HAProxy that comes with it."""
_CONNECT_S = 5.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CHUNK_BYTES = 2**16


class ClusterApi:
    """One cluster, by the URL of its dashboard. Every method raises a `ClusterError`; nothing is tried again."""

    def __init__(
        self, address: str, *, token: str | None = None, ca_file: Path | None = None, timeout_s: float = 60.0
    ) -> None:
        self.address = address.rstrip("/")
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = urlsplit(self.address).hostname not in _LOOPBACK
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"
        if ca_file is not None:
            self._session.verify = str(ca_file)

    def close(self) -> None:
        """Drop the connections."""
        self._session.close()

    def version(self) -> str:
        """Ray's version; raises `ClusterVersionError` where it is too old, or not Ray at all."""
        answer = self._json("GET", "/api/version")
        try:
            version = str(answer["ray_version"])
            numbers = tuple(int(part) for part in version.split(".")[:2])
        except (KeyError, TypeError, ValueError):
            raise ClusterVersionError(f"{self.address} is not the dashboard of a Ray cluster") from None
        if numbers < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            raise ClusterVersionError(f"{self.address} runs Ray {version}: {least} or later is needed")
        return version

    def serving(self) -> Serving:
        """What Serve runs now."""
        answer = self._json("GET", "/api/serve/applications/")
        try:
            return parse_serving(answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ClusterVersionError(f"{self.address} describes its applications in an unknown way") from error

    def apply(self, description: Mapping[str, Any]) -> None:
        """Let Serve run this (`deploy.serving.description.deployment`), and nothing else; returns at once.

        Starts Serve if it does not run. Raises `ClusterRefusedError` for what Serve cannot make sense of.
        """
        self._request("PUT", "/api/serve/applications/", json=dict(description))

    def shut_down(self) -> None:
        """Stop all applications and Serve itself."""
        self._request("DELETE", "/api/serve/applications/")

    def nodes(self) -> tuple[Node, ...]:
        """The machines, those that have gone among them."""
        answer = self._json("GET", "/api/v0/nodes?detail=1&limit=1000")
        try:
            return parse_nodes(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise ClusterVersionError(f"{self.address} describes its nodes in an unknown way") from error

    def read(self, path: str) -> Any:
        """The JSON that a GET of this path answers, such as ``/nodes?view=summary``."""
        return self._json("GET", path)

    def log(self, node_id: str, file: str, *, lines: int = 1000, follow: bool = False) -> Iterator[str]:
        """The last lines of a log file (such as `Replica.log_file`), then, with ``follow``, new ones as they come.

        Following ends when the caller closes the iterator or the cluster closes the connection.
        """
        query = {"node_id": node_id, "filename": file.lstrip("/"), "lines": str(lines), "interval": "0.5"}
        if not follow:
            del query["interval"]
        kind = "stream" if follow else "file"
        timeout_s = None if follow else self._timeout_s
        with (
            self._explained(),
            self._session.get(
                f"{self.address}/api/v0/logs/{kind}", params=query, stream=True, timeout=(_CONNECT_S, timeout_s)
            ) as answer,
        ):
            self._judge(answer)
            answer.encoding = "utf-8"
            for line in answer.iter_lines(_CHUNK_BYTES, decode_unicode=True):
                yield str(line)

    def _json(self, method: str, path: str, **options: Any) -> Any:
        answer = self._request(method, path, **options)
        try:
            return answer.json()
        except ValueError:
            raise ClusterVersionError(f"{self.address} is not the dashboard of a Ray cluster") from None

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        with self._explained():
            answer = self._session.request(
                method, self.address + path, timeout=(_CONNECT_S, self._timeout_s), allow_redirects=False, **options
            )
        self._judge(answer)
        return answer

    def _judge(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status == requests.codes.ok:
            return
        if status in (requests.codes.unauthorized, requests.codes.forbidden):
            raise ClusterDeniedError(
                f"{self.address} wants another token ({status}): write it into target.token_file "
                "(`ray get-auth-token` shows it on the head)"
            )
        if status in (requests.codes.not_found, requests.codes.method_not_allowed) or 300 <= status < 400:
            raise ClusterVersionError(f"{self.address} is not the dashboard of a Ray cluster ({status})")
        if status == requests.codes.not_implemented:
            raise ClusterVersionError(f"{self.address} has Ray without Serve: pip install 'ray[serve]' there")
        told = " ".join(reason(answer.text).split())[:400]
        if status == requests.codes.bad_request:
            raise ClusterRefusedError(f"{self.address} refuses the description: {told}")
        raise ClusterError(f"{self.address} failed ({status}): {told}")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ClusterUnreachableError(f"{self.address} has a certificate that is not trusted") from error
        except requests.ReadTimeout as error:
            raise ClusterUnreachableError(f"{self.address} does not answer within {self._timeout_s:g} s") from error
        except requests.ConnectionError as error:
            raise ClusterUnreachableError(
                f"{self.address} cannot be reached: does the cluster run, and is target.address right?"
            ) from error
        except requests.RequestException as error:
            raise ClusterError(f"{self.address}: {error}") from error
