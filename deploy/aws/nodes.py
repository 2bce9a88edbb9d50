"""The kinds of machines of a cluster, as Ray's launcher hands them to EC2. Pure.

Every machine has an encrypted disk, answers for its role only to sessions of the metadata service's version 2, has no
key, address or permission that its kind does not need, and goes for good when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from deploy.planning.prices import PriceTable
from deploy.settings.aws import CPU_IMAGE, GPU_IMAGE, AwsTarget, MachineSettings

HEAD: Final = "head"
NodeType = dict[str, Any]
"""One of ``available_node_types`` in the launcher's configuration."""


def node_types(target: AwsTarget, prices: PriceTable) -> dict[str, NodeType]:
    """The head and the groups of workers; raises `SettingsError` for a machine that the table does not have."""
    types = {HEAD: _head(target, prices)}
    for name, group in target.workers.items():
        machine = prices.entry(group.machine)
        resources: dict[str, int] = {"CPU": machine.cores}
        if machine.gpu_count:
            resources["GPU"] = machine.gpu_count
        config = _machine(target, group, prices, target.worker_instance_profile)
        if group.spot:
            config["InstanceMarketOptions"] = {"MarketType": "spot"}
        types[name] = {
            "resources": resources,
            "node_config": config,
            "min_workers": group.min,
            "max_workers": group.max,
        }
    return types


def _head(target: AwsTarget, prices: PriceTable) -> NodeType:
    # Without cores no replica lands on the head: what one of them does cannot take the cluster with it.
    return {
        "resources": {"CPU": 0},
        "node_config": _machine(target, target.head, prices, target.head_instance_profile),
        "min_workers": 0,
        "max_workers": 0,
    }


def _machine(target: AwsTarget, machine: MachineSettings, prices: PriceTable, profile: str) -> NodeType:
    return {
        "InstanceType": machine.machine,
        "ImageId": machine.image or default_image(machine.machine, prices),
        "KeyName": target.ssh.key_name,
        "SubnetIds": list(target.subnets),
        "SecurityGroupIds": [target.security_group],
        "IamInstanceProfile": {"Arn": profile},
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [_disk(machine.disk_gb)],
        "InstanceInitiatedShutdownBehavior": "terminate",
    }


def _disk(size_gb: int) -> Mapping[str, Any]:
    disk = {"VolumeSize": size_gb, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}
    return {"DeviceName": "/dev/sda1", "Ebs": disk}


def default_image(machine: str, prices: PriceTable) -> str:
    """Ubuntu for the machine's processor, with NVIDIA's driver if it has a GPU."""
    entry = prices.entry(machine)
    image = GPU_IMAGE if entry.gpu_count else CPU_IMAGE
    return image if entry.architecture == "x86_64" else image.replace("amd64", "arm64").replace("x86_64", "arm64")
