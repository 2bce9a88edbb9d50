"""Our settings as a configuration of Ray's own launcher (`ray up`). Pure."""

from __future__ import annotations

from typing import Any

import yaml

from deploy.aws.nodes import HEAD, node_types
from deploy.aws.remote import CONSTRAINTS, REDIS_PASSWORD, TOKEN, install, start_head, start_worker, wheel_place
from deploy.planning.prices import PriceTable
from deploy.settings.aws import AwsTarget

Configuration = dict[str, Any]
"""As Ray's ray-schema.json has it."""

_HEADER = "# Written by `cloud-deploy cluster up` for Ray's launcher; change config/deploy.yaml, not this file.\n"


def configuration(target: AwsTarget, prices: PriceTable) -> Configuration:
    """What `ray up` is given; it states everything that the launcher would otherwise choose less carefully.

    Left out, the launcher would make a role with all rights on EC2 and S3, open port 22 to the world, take public
    addresses and an image of its own. Raises `SettingsError`.
    """
    gpu_groups = [name for name, group in target.workers.items() if prices.entry(group.machine).gpu_count]
    types = node_types(target, prices)
    for name, kind in types.items():
        if name != HEAD:
            kind["worker_setup_commands"] = install(target, gpu=name in gpu_groups)
    return {
        "cluster_name": target.cluster_name,
        "max_workers": sum(group.max for group in target.workers.values()),
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": target.idle_minutes,
        "provider": {
            "type": "aws",
            "region": target.region,
            "use_internal_ips": True,
            "cache_stopped_nodes": False,
        },
        "auth": _ssh(target),
        "available_node_types": types,
        "head_node_type": HEAD,
        "file_mounts": _files(target),
        "initialization_commands": ["cloud-init status --wait || true"],
        "setup_commands": [],
        "head_setup_commands": install(target, gpu=False),
        "worker_setup_commands": [],
        "head_start_ray_commands": start_head(target),
        "worker_start_ray_commands": start_worker(target),
    }


def render(wanted: Configuration) -> str:
    """The file for `ray up`."""
    return _HEADER + yaml.safe_dump(wanted, sort_keys=False, width=120)


def _ssh(target: AwsTarget) -> dict[str, Any]:
    auth: dict[str, Any] = {"ssh_user": target.ssh.user, "ssh_private_key": str(target.ssh.private_key)}
    if target.ssh.through == "ssm":
        auth["ssh_proxy_command"] = (
            f"aws ssm start-session --region {target.region} --target %h "
            "--document-name AWS-StartSSHSession --parameters portNumber=%p"
        )
        auth["ssh_proxy_use_node_id"] = True
    return auth


def _files(target: AwsTarget) -> dict[str, str]:
    """Files of this machine by where they go on the cluster's."""
    files = {TOKEN: str(target.token_file)}
    if target.redis is not None and target.redis.password_file is not None:
        files[REDIS_PASSWORD] = str(target.redis.password_file)
    if target.package.constraints is not None:
        files[CONSTRAINTS] = str(target.package.constraints)
    if (place := wheel_place(target)) is not None:
        files[place] = str(target.package.wheel)
    return files
