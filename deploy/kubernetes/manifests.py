"""All manifests of a deployment, by file, and writing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cloud_apis.names import Api
from deploy.errors import SettingsError
from deploy.kubernetes.network import ingress, policies
from deploy.kubernetes.objects import Manifest, labels, metadata, selector
from deploy.kubernetes.rayservice import ray_service
from deploy.registry.reference import ModelReference
from deploy.serving.description import application
from deploy.serving.environment import NODE_ENVIRONMENT
from deploy.settings import DeploySettings, KubernetesTarget

_HEADER = "# Written by `cloud-deploy deploy --output`; change config/deploy.yaml, not this file.\n"
Files = Mapping[str, Sequence[Manifest]]
"""Objects by the file they go to; in the files' order each finds what it needs."""


def manifests(settings: DeploySettings, models: Mapping[Api, Sequence[ModelReference]]) -> Files:
    """What `kubectl apply` is given; ``models`` are each API's, by their digests. Raises `SettingsError`.

    The API key is the variable that ``api_key`` names, set from the Secret; no secret's value stands anywhere.
    """
    target = settings.target
    if not isinstance(target, KubernetesTarget):
        raise SettingsError(f"target.kind is {target.kind}: manifests are for kubernetes")
    variable = (settings.api_key or "").removeprefix("env:")
    applications = [
        application(api, settings, models[api], code_uri=None, key=settings.api_key) for api in settings.apis
    ]
    files: dict[str, Sequence[Manifest]] = {
        "00-namespace.yaml": [_namespace(target)],
        "10-configuration.yaml": [_configuration(target)],
        "20-network.yaml": policies(settings, target),
        "30-rayservice.yaml": [ray_service(settings, target, applications, variable)],
    }
    if target.service_account is None:
        files["10-account.yaml"] = [_account(target)]
    if sum(group.min for group in target.workers.values()) > 1:
        files["30-disruption.yaml"] = [_disruption(target)]
    if target.ingress is not None:
        files["40-ingress.yaml"] = [ingress(settings, target, target.ingress)]
    return dict(sorted(files.items()))


def render(objects: Sequence[Manifest]) -> str:
    """One file's text."""
    return _HEADER + yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=120)


def write(files: Files, folder: Path) -> None:
    """Write the files into a folder; raises `SettingsError` when it holds other YAML files or cannot be written.

    `kubectl apply --filename FOLDER` takes all that is there, so that nothing else may be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for there in sorted(folder.glob("*.y*ml")):
            if not there.read_bytes().startswith(_HEADER.encode()):
                raise SettingsError(f"{there} is not of this command: name a folder of its own with --output")
        for there in folder.glob("*.yaml"):
            there.unlink()
        for name, objects in files.items():
            (folder / name).write_text(render(objects), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error


def secret_command(target: KubernetesTarget) -> str:
    """The command that makes the Secret from files; kubectl reads them, so that no value stands in a history."""
    parts = [f"kubectl --namespace {target.namespace} create secret generic {target.secret.name}"]
    parts.append(f"--from-file {target.secret.api_key}=FILE")
    if target.redis is not None and target.redis.password:
        parts.append(f"--from-file {target.secret.redis_password}=FILE")
    return " ".join(parts)


def _namespace(target: KubernetesTarget) -> Manifest:
    stated = labels(target) | {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("warn", "audit")}
    stated["pod-security.kubernetes.io/enforce"] = "baseline"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": target.namespace, "labels": stated}}


def _configuration(target: KubernetesTarget) -> Manifest:
    environment = {
        **NODE_ENVIRONMENT,
        "PLATE_MODEL_CACHE": "/tmp/models",  # noqa: S108 - the pod's own volume
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(target, target.name), "data": environment}


def _account(target: KubernetesTarget) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(target, target.name, target.service_account_annotations),
        "automountServiceAccountToken": False,
    }


def _disruption(target: KubernetesTarget) -> Manifest:
    """Of several workers one at a time may be moved away; a single one would keep its node from being drained."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(target, target.name),
        "spec": {"maxUnavailable": 1, "selector": selector(target, "worker")},
    }


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks and no references between objects."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
