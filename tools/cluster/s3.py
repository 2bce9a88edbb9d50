"""An S3 server for trying things (moto's), with one bucket; what it is told it forgets when it ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import boto3
from moto.server import ThreadedMotoServer


@contextlib.contextmanager
def running_s3(host: str, port: int, bucket: str) -> Iterator[str]:
    """A server with a bucket, for as long as it is needed; gives its endpoint. Port 0 is any free one."""
    server = ThreadedMotoServer(ip_address=host, port=port, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        anybody = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **anybody)
        client.create_bucket(Bucket=bucket)
        yield url
    finally:
        server.stop()


def serve_s3(host: str, port: int, bucket: str) -> None:
    """Serve until SIGTERM or SIGINT; says first how it is used."""
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with running_s3(host, port, bucket) as url:
        print(f"S3 at {url} with the bucket {bucket}; any credentials do:", flush=True)
        print("  export AWS_ACCESS_KEY_ID=nobody AWS_SECRET_ACCESS_KEY=nothing AWS_REGION=us-east-1", flush=True)
        ended.wait()
