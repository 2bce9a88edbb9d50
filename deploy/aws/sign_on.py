"""Runs on a worker: signs its machine on at the load balancer (``python -m deploy.aws.sign_on``).

The machine's name comes from the metadata service (version 2: a token first). A machine that ends fails the load
balancer's checks and gets no more requests.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

import requests

from deploy.aws.account import client, explained
from deploy.errors import ClusterError, DeployError

_METADATA_URL = "http://169.254.169.254"
_LIFE, _TOKEN = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
_TIMEOUT_S = 5.0


def own_name(metadata_url: str) -> str:
    """This machine's name, such as i-0123456789abcdef0; raises `ClusterError` elsewhere than on AWS."""
    session = requests.Session()
    session.trust_env = False  # the service is this machine's own: no proxy leads there
    try:
        token = session.put(f"{metadata_url}/latest/api/token", headers={_LIFE: "60"}, timeout=_TIMEOUT_S)
        token.raise_for_status()
        url = f"{metadata_url}/latest/meta-data/instance-id"
        answer = session.get(url, headers={_TOKEN: token.text}, timeout=_TIMEOUT_S)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise ClusterError("the metadata service does not answer: is this a machine on AWS?") from error
    if not answer.text.startswith("i-"):
        raise ClusterError("the metadata service does not tell this machine's name")
    return answer.text


def sign_on(balancer: Any, target_group: str, instance: str, port: int) -> None:
    """Let the load balancer send requests to a machine; once is as good as many times. Raises a `DeployError`."""
    with explained():
        balancer.register_targets(TargetGroupArn=target_group, Targets=[{"Id": instance, "Port": port}])


def main(argv: Sequence[str] | None = None) -> int:
    """Sign this machine on; the exit code is 0, or 1 when it failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.aws.sign_on", description=sign_on.__doc__)
    parser.add_argument("target_group", metavar="ARN", help="the load balancer's target group")
    parser.add_argument("--region", required=True, help="its AWS region")
    parser.add_argument("--port", type=int, required=True, help="port that the APIs listen on")
    arguments = parser.parse_args(argv)
    metadata_url = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _METADATA_URL).rstrip("/")
    try:
        name = own_name(metadata_url)
        sign_on(client("elbv2", arguments.region), arguments.target_group, name, arguments.port)
    except DeployError as error:
        print(f"sign_on: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
