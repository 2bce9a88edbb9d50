"""What all objects have in common: names and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from deploy.settings.kubernetes import KubernetesTarget

Manifest = dict[str, Any]
"""One object as YAML has it."""

HEAD: Final = "head"
WORKER: Final = "worker"
_NAME, _INSTANCE = "app.kubernetes.io/name", "app.kubernetes.io/instance"
_PART, _MANAGER = "app.kubernetes.io/component", "app.kubernetes.io/managed-by"


def metadata(target: KubernetesTarget, name: str, annotations: Mapping[str, str] | None = None) -> Manifest:
    """Name, namespace and labels of an object."""
    stated: Manifest = {"name": name, "namespace": target.namespace, "labels": labels(target)}
    if annotations:
        stated["annotations"] = dict(annotations)
    return stated


def labels(target: KubernetesTarget, part: str | None = None) -> dict[str, str]:
    """Labels of what belongs to this deployment; of its pods those of one ``part``, `HEAD` or `WORKER`."""
    stated = {_NAME: "plate-dashcam", _INSTANCE: target.name, _MANAGER: "cloud-deploy"}
    return stated if part is None else {**stated, _PART: part}


def selector(target: KubernetesTarget, part: str | None = None) -> Manifest:
    """Selects the pods of this deployment."""
    stated = {_INSTANCE: target.name}
    return {"matchLabels": stated if part is None else {**stated, _PART: part}}


def of_namespace(name: str) -> Manifest:
    """Selects a namespace by its name."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
