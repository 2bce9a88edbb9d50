"""Checks objects against Kubernetes' own schemas, strictly, and a RayService against ours and the operator's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

jsonschema = pytest.importorskip("jsonschema", reason="the dev extra is not installed")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="the dev extra is not installed")

KUBERNETES = "1.33"
CRD = "RAYSERVICE_CRD"
"""Names the operator's own file ray.io_rayservices.yaml."""
_OURS = Path(__file__).parent / "rayservice.schema.yaml"


def check(manifest: Mapping[str, Any]) -> None:
    """Raise jsonschema's `ValidationError` for an object that is wrong or has keys that nobody knows."""
    if manifest["kind"] != "RayService":
        kubernetes_validate.validate(dict(manifest), KUBERNETES, strict=True)
        return
    jsonschema.validate(manifest, yaml.safe_load(_OURS.read_text(encoding="utf-8")))
    for template in _templates(manifest["spec"]["rayClusterConfig"]):
        wrapped = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": template}
        kubernetes_validate.validate(wrapped, KUBERNETES, strict=True)
    if named := os.environ.get(CRD):
        jsonschema.validate(manifest, _operators(Path(named)))


def _templates(cluster: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Pods as they stand there, and one around what stands elsewhere: a container's security and a secret's value."""
    yield cluster["headGroupSpec"]["template"]
    for group in cluster["workerGroupSpecs"]:
        yield group["template"]
    container: dict[str, Any] = {"name": "x", "image": "x"}
    if "autoscalerOptions" in cluster:
        container["securityContext"] = cluster["autoscalerOptions"]["securityContext"]
    if "redisPassword" in cluster.get("gcsFaultToleranceOptions", {}):
        container["env"] = [{"name": "x", **cluster["gcsFaultToleranceOptions"]["redisPassword"]}]
    yield {"spec": {"containers": [container]}}


def _operators(file: Path) -> Any:
    versions = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["versions"]
    return next(one for one in versions if one["name"] == "v1")["schema"]["openAPIV3Schema"]
