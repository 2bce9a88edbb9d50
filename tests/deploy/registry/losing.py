"""A server between client and S3 that does what it is asked, and loses some of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests

from tests.deploy.rollout.dashboard import served

_NOT_PASSED_ON = {"host", "connection", "expect"}

_ENDED = b"<Error><Code>NoSuchUpload</Code><Message>it was completed or aborted</Message></Error>"


@contextmanager
def losing(s3_url: str, loses: Callable[[str, str], bool]) -> Iterator[str]:
    """The server's URL; ``loses`` is told method and path of what was done, and says whether nobody hears of it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
            answer = requests.request(self.command, s3_url + self.path, headers=headers, data=body, timeout=20)
            self.close_connection = True
            if loses(self.command, self.path):
                return
            if answer.status_code == 500 and "uploadId=" in self.path:  # moto knows no upload that has ended; S3 does
                self.send_response(404)
                self.send_header("Content-Length", str(len(_ENDED)))
                self.end_headers()
                self.wfile.write(_ENDED)
                return
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in {"connection", "transfer-encoding", "server", "date"}:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.do_GET()

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with served(Handler) as url:
        yield url
