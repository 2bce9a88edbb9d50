"""The configuration for Ray's launcher: by Ray's own validator, by its preparation against EC2, by what it says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

jsonschema = pytest.importorskip("jsonschema", reason="the dev extra is not installed")
commands = pytest.importorskip("ray.autoscaler._private.commands", reason="the ray extra is not installed")

from ray.autoscaler._private.aws import node_provider
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.tags import NODE_KIND_WORKER, TAG_RAY_NODE_KIND, TAG_RAY_USER_NODE_TYPE

from deploy.aws.launcher import configuration, render
from deploy.errors import SettingsError
from deploy.planning.prices import load_prices
from tests.deploy.aws.conftest import REGION, Change

BASH = shutil.which("bash") or "bash"
GPU = {"gpu": {"machine": "g6.xlarge"}}


def _configuration(target: Change, **other: Any) -> dict[str, Any]:
    return configuration(target(**other), load_prices())


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"workers": GPU},
        {"target_group": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/plates/0123456789abcdef"},
        {"redis": {"address": "rediss://redis.example:6379"}},
        {"idle_minutes": 1},
    ],
)
def test_rays_own_validator_accepts_it(target: Change, other: dict[str, Any]) -> None:
    wanted = yaml.safe_load(render(_configuration(target, **other)))
    prepared = prepare_config(wanted)
    validate_config(prepared)
    # Nothing is left to the launcher's choice but what has no meaning without Docker and synchronised folders.
    assert {key: prepared[key] for key in wanted} | {
        "head_setup_commands": wanted["head_setup_commands"],
        "available_node_types": wanted["available_node_types"],
    } == wanted
    assert set(prepared) - set(wanted) == {
        "docker", "cluster_synced_files", "file_mounts_sync_continuously", "rsync_exclude", "rsync_filter"
    }  # fmt: skip


def test_rays_validator_would_refuse_a_wrong_one(target: Change) -> None:
    wanted = prepare_config(_configuration(target)) | {"colour": "red"}
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        validate_config(wanted)


def test_rays_own_preparation_makes_no_role_and_opens_no_port(aws: Any, target: Change) -> None:
    wanted = _configuration(target)
    resolved = commands._bootstrap_config(wanted, no_config_cache=True)
    kinds = resolved["available_node_types"]
    assert {name: kind["node_config"] for name, kind in kinds.items()} == {
        name: kind["node_config"] for name, kind in wanted["available_node_types"].items()
    }
    assert kinds["head"]["resources"]["CPU"] == 0
    group = aws.describe_security_groups(GroupIds=[target().security_group])["SecurityGroups"][0]
    assert group["IpPermissions"] == []
    iam = boto3.client("iam", region_name=REGION)
    assert not [role for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("ray-")]
    assert not [one for one in iam.list_instance_profiles()["InstanceProfiles"] if "ray-" in one["InstanceProfileName"]]


def test_a_machine_is_started_as_it_is_described(aws: Any, target: Change) -> None:
    resolved = commands._bootstrap_config(_configuration(target), no_config_cache=True)
    make: Callable[..., Any] = node_provider.AWSNodeProvider
    provider = make(resolved["provider"], resolved["cluster_name"])
    tags = {TAG_RAY_NODE_KIND: NODE_KIND_WORKER, TAG_RAY_USER_NODE_TYPE: "gpu"}
    provider.create_node(resolved["available_node_types"]["gpu"]["node_config"], tags, 1)
    (identity,) = provider.non_terminated_nodes({})
    machine = aws.describe_instances(InstanceIds=[identity])["Reservations"][0]["Instances"][0]
    assert machine["InstanceType"] == "g6.xlarge"
    assert machine["InstanceLifecycle"] == "spot"
    assert machine["MetadataOptions"]["HttpTokens"] == "required"
    assert machine["IamInstanceProfile"]["Arn"] == target().worker_instance_profile
    assert [group["GroupId"] for group in machine["SecurityGroups"]] == [target().security_group]
    assert machine["SubnetId"] in target().subnets
    assert "PublicIpAddress" not in machine
    volumes = aws.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [identity]}])["Volumes"]
    assert [volume["Encrypted"] for volume in volumes] == [True]
    provider.terminate_nodes([identity])
    assert provider.non_terminated_nodes({}) == []


def test_secrets_are_files_and_stand_in_no_line(target: Change, files: Path) -> None:
    text = render(
        _configuration(target, redis={"address": "redis:6379", "password_file": str(files / "redis-password")})
    )
    assert "content of" not in text
    wanted = yaml.safe_load(text)
    assert wanted["file_mounts"]["~/.ray/auth_token"] == str(files / "token")
    assert wanted["file_mounts"]["~/.plates/redis-password"] == str(files / "redis-password")
    start = wanted["head_start_ray_commands"][-1]
    for part in (
        "RAY_AUTH_MODE=token", "RAY_USAGE_STATS_ENABLED=0", "RAY_SERVE_ENABLE_HA_PROXY=1",
        "RAY_REDIS_ADDRESS=redis:6379", "--dashboard-host=127.0.0.1", '"$(cat $HOME/.plates/redis-password)"',
    ):  # fmt: skip
        assert part in start
    assert "RAY_REDIS_ADDRESS" not in wanted["worker_start_ray_commands"][-1]


def test_it_reaches_machines_by_the_session_manager_or_the_private_network(target: Change) -> None:
    through = _configuration(target)["auth"]
    assert through["ssh_proxy_use_node_id"] is True
    assert "AWS-StartSSHSession" in through["ssh_proxy_command"]
    straight = _configuration(target, ssh={"key_name": "k", "private_key": "/k.pem", "through": "network"})["auth"]
    assert straight == {"ssh_user": "ubuntu", "ssh_private_key": "/k.pem"}


def test_machines_with_a_gpu_get_its_image_resource_and_library(target: Change) -> None:
    kinds = _configuration(target)["available_node_types"]
    assert kinds["gpu"]["resources"] == {"CPU": 4, "GPU": 1}
    assert "nvidia" in kinds["gpu"]["node_config"]["ImageId"]
    assert kinds["gpu"]["worker_setup_commands"][0] == "nvidia-smi --list-gpus"
    assert any("[ray-gpu]" in line for line in kinds["gpu"]["worker_setup_commands"])
    assert kinds["cpu"]["resources"] == {"CPU": 8}
    assert "nvidia" not in str(kinds["cpu"])
    assert kinds["cpu"]["node_config"].get("InstanceMarketOptions") is None
    assert kinds["gpu"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


def test_machines_of_another_architecture_get_its_image(target: Change) -> None:
    kinds = _configuration(target, workers={"arm": {"machine": "c7g.xlarge"}})["available_node_types"]
    assert "/arm64/" in kinds["arm"]["node_config"]["ImageId"]
    assert "amd64" not in kinds["arm"]["node_config"]["ImageId"]


def test_a_machine_that_has_no_price_is_refused(target: Change) -> None:
    with pytest.raises(SettingsError, match=r"no price for 'x9.huge'; known are c7a"):
        _configuration(target, workers={"cpu": {"machine": "x9.huge"}})


def test_every_line_is_one_that_the_shell_reads(target: Change) -> None:
    package = {
        "requirement": "plate-dashcam==1.2.3",
        "constraints": "/c.txt",
        "index_url": "https://index.example/it's; rm -r ~",
    }
    other = {"package": package, "redis": {"address": "redis:6379", "password_file": "/p"}}
    wanted = _configuration(target, **other)
    kinds = wanted["available_node_types"]
    lines = [
        *wanted["head_setup_commands"],
        *wanted["head_start_ray_commands"],
        *wanted["worker_start_ray_commands"],
        *kinds["gpu"]["worker_setup_commands"],
    ]
    for line in lines:
        subprocess.run([BASH, "-n", "-c", line], check=True)
    (pip,) = [line for line in wanted["head_setup_commands"] if "pip install" in line]
    script = "told() { printf '%s\\n' \"$@\"; }; " + pip.replace("$HOME/.plates/python/bin/python", "told")
    words = subprocess.run(
        [BASH, "-c", script], check=True, capture_output=True, text=True, env={"HOME": "/home/ubuntu"}
    ).stdout.splitlines()
    assert package["index_url"] in words
    assert "/home/ubuntu/.plates/constraints.txt" in words
    assert "plate-dashcam[ray]==1.2.3" in words
