"""The RayService: what KubeRay makes a cluster and its APIs from (KubeRay 1.5.1 or newer, for its token)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata as installed
from typing import Any

import yaml

from deploy.kubernetes import pods
from deploy.kubernetes.objects import Manifest, metadata
from deploy.serving.description import deployment
from deploy.settings import DeploySettings
from deploy.settings.kubernetes import KubernetesTarget

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - the network policy says who reaches it
_IDLE_S = 600
_METRICS = {"metrics-export-port": str(pods.METRICS_PORT)}


def ray_service(
    settings: DeploySettings, target: KubernetesTarget, applications: Sequence[Mapping[str, Any]], key_variable: str
) -> Manifest:
    """The service with its applications (`deploy.serving.description.application`) and pods."""
    described = deployment(settings, applications, http_host=_EVERYWHERE, http_port=target.http_port)
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": metadata(target, target.name),
        "spec": {
            "serveConfigV2": yaml.safe_dump(described, sort_keys=False),
            "excludeHeadPodFromServeSvc": True,
            "rayClusterConfig": _cluster(target, key_variable),
        },
    }


def _cluster(target: KubernetesTarget, key_variable: str) -> Manifest:
    cluster: Manifest = {
        "rayVersion": installed.version("ray"),
        # The operator makes the token, hands it to the pods and shows it when it speaks to the head.
        "authOptions": {"mode": "token"},
        "headGroupSpec": {
            # Without cores no replica lands on the head: what one of them does cannot take the cluster with it.
            "rayStartParams": {"num-cpus": "0", "dashboard-host": _EVERYWHERE, **_METRICS},
            "template": pods.head(target),
        },
        "workerGroupSpecs": [
            {
                "groupName": name,
                "replicas": group.min,
                "minReplicas": group.min,
                "maxReplicas": group.max,
                "rayStartParams": dict(_METRICS),
                "template": pods.worker(target, group, key_variable),
            }
            for name, group in target.workers.items()
        ],
    }
    if any(group.min != group.max for group in target.workers.values()):
        cluster["enableInTreeAutoscaling"] = True
        cluster["autoscalerOptions"] = {
            "version": "v2",
            "idleTimeoutSeconds": _IDLE_S,
            "securityContext": pods.CONTAINER_SECURITY,
        }
    if target.redis is not None:
        cluster["gcsFaultToleranceOptions"] = _redis(target, target.redis.address, password=target.redis.password)
    return cluster


def _redis(target: KubernetesTarget, address: str, *, password: bool) -> Manifest:
    options: Manifest = {"redisAddress": address}
    if password:
        entry = {"name": target.secret.name, "key": target.secret.redis_password}
        options["redisPassword"] = {"valueFrom": {"secretKeyRef": entry}}
    return options
