"""Faults of S3: what `cloud-deploy deploy` says of each, how soon, and that the cluster is told nothing."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.cluster.trial import TrialCluster
from tools.faults.cloud.serving import API, ONE, run_deploy
from tools.faults.row import Row

_DENIALS = {
    "access denied": (403, "AccessDenied", "check the policy"),
    "credentials expired": (400, "ExpiredToken", "have expired"),
    "key unknown": (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
    "secret wrong": (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
    "overloaded": (503, "SlowDown", "try again later"),
    "no such bucket": (404, "NoSuchBucket", "create it first"),
}
_WITHIN_S = 60.0


def storage_faults(cluster: TrialCluster) -> Iterator[Row]:
    """Each fault of S3 in turn."""
    cluster.apply(ONE)
    for fault, (status, code, words) in _DENIALS.items():
        with s3_that_refuses(status, code) as url:
            yield _told(cluster, f"S3: {fault}", url, words)
    yield _told(cluster, "S3: down", "http://127.0.0.1:1", "does not answer")
    missing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    yield _told(cluster, "S3: no credentials", cluster.s3_url, "set AWS_ACCESS_KEY_ID", **missing)


@contextmanager
def s3_that_refuses(status: int, code: str) -> Iterator[str]:
    """A server on loopback that answers everything with one error of S3."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _told(cluster: TrialCluster, fault: str, url: str, words: str, **environment: str) -> Row:
    before = cluster.serving().applications[API]
    settings = cluster.settings({API: {"threads": 2}})
    changed = settings.model_copy(update={"registry": settings.registry.model_copy(update={"endpoint_url": url})})
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "deploy.yaml"
        file.write_text(changed.model_dump_json(), encoding="utf-8")
        begun_s = time.monotonic()
        ended = run_deploy(["deploy", "--yes", "--config", str(file)], **environment)
        took_s = time.monotonic() - begun_s
    after = cluster.serving().applications[API]
    said = ended.stderr.strip()
    untouched = after.deployed_s == before.deployed_s
    reached = ended.returncode == 1 and words in said and said.count("\n") == 0 and untouched and took_s < _WITHIN_S
    return Row(fault, "one clear line, nothing changed", f"{ended.returncode} after {took_s:.1f} s: “{said}”", reached)
