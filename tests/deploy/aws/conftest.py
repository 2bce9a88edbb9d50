"""A target on AWS, and an AWS (moto over HTTP) with the network and profiles that it names."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

instance_types = pytest.importorskip("moto.ec2.models.instance_types", reason="the dev extra is not installed")

from deploy.settings import AwsTarget
from tests.deploy.conftest import credentials

REGION = "us-east-1"
Change = Callable[..., AwsTarget]
_MACHINES = {"c7i.large", "c7i.2xlarge", "g6.xlarge"}
_IMAGE = "ami-03cf127a"
"""One of those that moto has."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The operator's home: a key, a wheel, a list of versions, a password."""
    for name in ("plates.pem", "plate_dashcam-1.2.3-py3-none-any.whl", "constraints.txt", "redis-password"):
        (tmp_path / name).write_text("content of " + name)
        (tmp_path / name).chmod(0o600)
    return tmp_path


@pytest.fixture
def stated(files: Path) -> dict[str, Any]:
    """The least that target aws needs, as it stands in YAML."""
    return {
        "kind": "aws",
        "region": REGION,
        "token_file": str(files / "token"),
        "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "security_group": "sg-0123456789abcdef0",
        "head_instance_profile": "arn:aws:iam::123456789012:instance-profile/head",
        "worker_instance_profile": "arn:aws:iam::123456789012:instance-profile/worker",
        "ssh": {"key_name": "plates", "private_key": str(files / "plates.pem")},
        "workers": {
            "cpu": {"machine": "c7i.2xlarge", "min": 1, "max": 4},
            "gpu": {"machine": "g6.xlarge", "min": 0, "max": 2, "spot": True},
        },
        "package": {"requirement": str(files / "plate_dashcam-1.2.3-py3-none-any.whl")},
    }


@pytest.fixture
def target(stated: dict[str, Any]) -> Change:
    """Make a target, with other values than the usual ones."""

    def make(**other: Any) -> AwsTarget:
        return AwsTarget.model_validate(stated | other)

    return make


@pytest.fixture
def aws(s3_url: str, monkeypatch: pytest.MonkeyPatch, stated: dict[str, Any]) -> Iterator[Any]:
    """EC2 with a private network, a closed security group and two profiles, which ``stated`` then names."""
    credentials(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    # Ray asks for all kinds of machines; moto takes minutes to tell the thousand that there are.
    few = {name: kind for name, kind in instance_types.INSTANCE_TYPES.items() if name in _MACHINES}
    monkeypatch.setattr(instance_types, "INSTANCE_TYPES", few)
    ec2, iam = boto3.client("ec2", region_name=REGION), boto3.client("iam", region_name=REGION)
    network = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    stated["subnets"] = [
        ec2.create_subnet(VpcId=network, CidrBlock=f"10.7.{number}.0/24")["Subnet"]["SubnetId"] for number in (1, 2)
    ]
    group = ec2.create_security_group(GroupName=f"machines-{network}", Description="of the test", VpcId=network)
    stated["security_group"] = group["GroupId"]
    for kind in ("head", "worker"):
        profile = iam.create_instance_profile(InstanceProfileName=f"{kind}-{network}")["InstanceProfile"]
        stated[f"{kind}_instance_profile"] = profile["Arn"]
    stated["cluster_name"] = f"plates-{network[-8:]}"
    stated["ssh"]["key_name"] = f"key-{network}"
    ec2.create_key_pair(KeyName=stated["ssh"]["key_name"])
    stated["head"] = {"image": _IMAGE}
    for worker in stated["workers"].values():
        worker["image"] = _IMAGE
    yield ec2
    left = ec2.describe_instances(Filters=[{"Name": "vpc-id", "Values": [network]}])["Reservations"]
    if left:
        ec2.terminate_instances(InstanceIds=[one["InstanceId"] for batch in left for one in batch["Instances"]])


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def settings_file(tmp_path: Path, stated: dict[str, Any]) -> Callable[[], Path]:
    """Write the settings as they are by then."""

    def write() -> Path:
        (tmp_path / "api-key").write_text("a-key-of-the-test-and-no-other")
        settings = {
            "registry": {"url": "s3://bucket/plates"},
            "api_key": f"file:{tmp_path / 'api-key'}",
            "apis": {"yolov3": {}},
            "target": stated,
        }
        file = tmp_path / "deploy.yaml"
        file.write_text(yaml.safe_dump(settings))
        return file

    return write
