"""A worker signs on at a load balancer (moto) by the name that its metadata service (a real server) tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from deploy.aws.sign_on import main, own_name
from deploy.errors import ClusterError
from tests.deploy.aws.conftest import REGION

TOKEN = "a-session-of-the-metadata-service"


class _Metadata(BaseHTTPRequestHandler):
    """Version 2 alone: a name is told only to who shows a token."""

    def do_PUT(self) -> None:
        asked = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self._answer(200 if self.path == "/latest/api/token" and asked else 400, TOKEN)

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            self._answer(401, "")
        elif self.path == "/latest/meta-data/instance-id":
            self._answer(200, str(getattr(self.server, "name", "")))
        else:
            self._answer(404, "")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def metadata() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Metadata) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


def _url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_it_signs_on_once_however_often(
    aws: Any, stated: dict[str, Any], metadata: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    balancer = boto3.client("elbv2", region_name=REGION)
    vpc = aws.describe_subnets(SubnetIds=stated["subnets"])["Subnets"][0]["VpcId"]
    group = balancer.create_target_group(Name=f"t-{vpc[-8:]}", Protocol="HTTP", Port=8000, VpcId=vpc)
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    started = aws.run_instances(ImageId=stated["head"]["image"], MinCount=1, MaxCount=1, SubnetId=stated["subnets"][0])
    name = started["Instances"][0]["InstanceId"]
    metadata.name = name  # type: ignore[attr-defined]
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", _url(metadata))
    for _ in range(2):
        assert main(["--region", REGION, "--port", "8123", arn]) == 0
    found = balancer.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [(one["Target"]["Id"], one["Target"]["Port"]) for one in found] == [(name, 8123)]


def test_a_group_that_is_not_there_is_told(
    aws: Any, metadata: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata.name = "i-0123456789abcdef0"  # type: ignore[attr-defined]
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", _url(metadata))
    arn = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:targetgroup/none/0123456789abcdef"
    assert main(["--region", REGION, "--port", "8000", arn]) == 1
    assert "AWS refused RegisterTargets (TargetGroupNotFound)" in capsys.readouterr().err


def test_elsewhere_than_on_aws_it_fails(metadata: ThreadingHTTPServer) -> None:
    metadata.name = "<html>"  # type: ignore[attr-defined]
    with pytest.raises(ClusterError, match="does not tell this machine's name"):
        own_name(_url(metadata))
    port = metadata.server_port
    metadata.shutdown()
    metadata.server_close()
    with pytest.raises(ClusterError, match="is this a machine on AWS"):
        own_name(f"http://127.0.0.1:{port}")
