"""The machines of a cluster as EC2 has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.aws.account import explained

_CLUSTER, _KIND, _GROUP = "ray-cluster-name", "ray-node-type", "ray-user-node-type"
_LIVE = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True, slots=True)
class Instance:
    """One machine; ``group`` is head or the group's name in the settings."""

    name: str
    group: str
    machine: str
    state: str
    private_address: str
    started: datetime
    spot: bool


def instances(ec2: Any, cluster_name: str) -> Sequence[Instance]:
    """All machines of a cluster that are not gone for good, the head first; raises a `DeployError`."""
    filters = [
        {"Name": f"tag:{_CLUSTER}", "Values": [cluster_name]},
        {"Name": "instance-state-name", "Values": list(_LIVE)},
    ]
    found: list[Instance] = []
    with explained():
        for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
            found += [_instance(one) for group in page["Reservations"] for one in group["Instances"]]
    return sorted(found, key=lambda one: (one.group != "head", one.group, one.started, one.name))


def _instance(one: Any) -> Instance:
    tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())}
    return Instance(
        name=one["InstanceId"],
        group=tags.get(_GROUP) or tags.get(_KIND, "?"),
        machine=one["InstanceType"],
        state=one["State"]["Name"],
        private_address=one.get("PrivateIpAddress", ""),
        started=one["LaunchTime"],
        spot=one.get("InstanceLifecycle") == "spot",
    )
