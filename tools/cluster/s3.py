"""An S3 server for trying things (moto's), with one bucket; what it is told it forgets when it ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import requests
from moto.server import ThreadedMotoServer

ANYBODY = ("nobody", "nothing")
"""Access key and secret: the server takes any."""
_START_S = 60.0


@contextlib.contextmanager
def running_s3(host: str, port: int, bucket: str) -> Iterator[str]:
    """A server with a bucket, for as long as it is needed; gives its endpoint. Port 0 is any free one."""
    server = ThreadedMotoServer(ip_address=host, port=port, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        requests.put(f"{url}/{bucket}", timeout=_START_S).raise_for_status()
        yield url
    finally:
        server.stop()


def tell_nodes(file: Path, endpoint_url: str) -> None:
    """Write the nodes' AWS configuration: Ray fetches code by it, which knows of no other place for the endpoint."""
    told = {
        "region": "us-east-1",
        "endpoint_url": endpoint_url,
        "aws_access_key_id": ANYBODY[0],
        "aws_secret_access_key": ANYBODY[1],
    }
    lines = ["[default]", *(f"{key} = {value}" for key, value in told.items()), ""]
    file.write_text("\n".join(lines), encoding="utf-8")


def serve_s3(host: str, port: int, bucket: str, aws_config: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; says first how it is used, to the nodes of a cluster too."""
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with running_s3(host, port, bucket) as url:
        if aws_config is not None:
            tell_nodes(aws_config, url)
        print(f"S3 at {url} with the bucket {bucket}; any credentials do:", flush=True)
        key, secret = ANYBODY
        print(f"  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION=us-east-1", flush=True)
        ended.wait()
