"""Whose an application on a cluster is. Several deployments may share a cluster, each with APIs of its own. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloud_apis.names import Api
from deploy.errors import ConflictError
from deploy.serving.description import DEPLOYMENT, IMPORT_PATH

_APIS = frozenset(api.value for api in Api)


def owner(described: Mapping[str, Any]) -> str | None:
    """The deployment that a description names as its own; None when there is none."""
    stated = (described.get("runtime_env") or {}).get("env_vars") or {}
    return stated.get(DEPLOYMENT)


def is_ours(described: Mapping[str, Any], deployment: str) -> bool:
    """Whether this deployment put an application there.

    Those that name no deployment were put there by a version of this program that did not say: they are taken over.
    """
    if described.get("name") not in _APIS or described.get("import_path") != IMPORT_PATH:
        return False
    return owner(described) in (None, deployment)


def refuse_conflicts(wanted: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], deployment: str) -> None:
    """Raise `ConflictError` when an application that is wanted has the name or the path of one of others."""
    for each in wanted:
        for other in others:
            if each["name"] == other.get("name") or each["route_prefix"] == other.get("route_prefix"):
                whose = f"the deployment {owner(other)}" if owner(other) else f"the application {other.get('name')}"
                raise ConflictError(
                    f"{each['route_prefix']} is taken on this cluster by {whose}, which is not of {deployment}: end "
                    "that there first, or deploy to another cluster"
                )
