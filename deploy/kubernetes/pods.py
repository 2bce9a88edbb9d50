"""The pods of head and workers. They run as nobody in particular, without any right that Linux or Kubernetes grants."""

from __future__ import annotations

from typing import Any, Final

from deploy.kubernetes.objects import HEAD, WORKER, Manifest, labels
from deploy.settings.kubernetes import GroupSettings, KubernetesTarget, PodSettings

_AGENT_PORT: Final = 52365
METRICS_PORT: Final = 8080
"""Where each of Ray's nodes exports its figures for Prometheus."""
HEAD_METRICS_PORTS: Final = (44217, 44227)
"""Where the head exports those of its autoscaler and its dashboard."""
_STOP_S: Final = 90
"""Longer than a replica may take to finish its requests (`deploy.serving.description`)."""

CONTAINER_SECURITY: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def head(target: KubernetesTarget) -> Manifest:
    """The pod that runs the cluster itself; Kubernetes starts it anew when Ray's processes do not answer."""
    ports = [("gcs", 6379), ("dashboard", 8265), ("serve", target.http_port)]
    ports += [("metrics", METRICS_PORT), ("as-metrics", HEAD_METRICS_PORTS[0]), ("dash-metrics", HEAD_METRICS_PORTS[1])]
    container = _container(target, target.head, "ray-head", target.image, ports)
    container["readinessProbe"] = _probe("/api/gcs_healthz", 8265, failures=10)
    return _pod(target, target.head, HEAD, container)


def worker(target: KubernetesTarget, group: GroupSettings, key_variable: str) -> Manifest:
    """A pod that runs APIs; it gets requests once its proxy answers, that is when a replica is ready on it."""
    ports = [("serve", target.http_port), ("metrics", METRICS_PORT)]
    container = _container(target, group, "ray-worker", group.image or target.image, ports, gpus=group.gpus)
    container["readinessProbe"] = _probe("/-/healthz", target.http_port, failures=2)
    key = {"name": target.secret.name, "key": target.secret.api_key}
    container["env"] = [{"name": key_variable, "valueFrom": {"secretKeyRef": key}}]
    pod = _pod(target, group, WORKER, container)
    pod["spec"]["serviceAccountName"] = target.service_account or target.name
    pod["spec"]["automountServiceAccountToken"] = False
    if group.gpus:
        pod["spec"]["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    return pod


def _pod(target: KubernetesTarget, size: PodSettings, part: str, container: Manifest) -> Manifest:
    spec: Manifest = {
        "containers": [container],
        # As the image's own user, which must be a number other than 0.
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": _STOP_S,
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    if size.node_selector:
        spec["nodeSelector"] = dict(size.node_selector)
    if target.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in target.image_pull_secrets]
    return {"metadata": {"labels": labels(target, part)}, "spec": spec}


def _container(
    target: KubernetesTarget,
    size: PodSettings,
    name: str,
    image: str,
    ports: list[tuple[str, int]],
    gpus: int = 0,
) -> Manifest:
    # What is asked for is also the limit: Ray counts its cores and its memory by the limits.
    amounts: dict[str, Any] = {"cpu": str(size.cpus), "memory": f"{size.memory_gb}Gi"}
    if gpus:
        amounts["nvidia.com/gpu"] = gpus
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "envFrom": [{"configMapRef": {"name": target.name}}],
        "ports": [{"name": port_name, "containerPort": port} for port_name, port in ports],
        "resources": {"limits": amounts, "requests": dict(amounts)},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 - where Ray keeps its session
        "livenessProbe": _probe("/api/local_raylet_healthz", _AGENT_PORT, failures=24),
    }


def _probe(path: str, port: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": port},
        "initialDelaySeconds": 10,
        "periodSeconds": 5,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
