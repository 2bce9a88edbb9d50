"""Lets `cloud-apis serve` take its models from the registry (see `cloud_apis.model_sources`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cloud_apis.errors import StartError
from deploy.errors import DeployError
from deploy.registry.cache import ModelCache
from deploy.registry.folder import process_cache
from deploy.registry.objects import Objects, parse_place
from deploy.registry.reference import parse_reference
from deploy.registry.registry import Registry


def fetch(url: str, references: Sequence[str]) -> Path:
    """The folder with the models, pulled and verified if they are not here yet; raises `StartError`.

    Endpoint, region and credentials are those of the environment (AWS_ENDPOINT_URL_S3, AWS_REGION, …).
    """
    try:
        registry = Registry(Objects(parse_place(url)))
        return ModelCache(process_cache()).pull(registry, [parse_reference(one) for one in references], _quietly)
    except DeployError as error:
        raise StartError(str(error)) from error


def _quietly(count: int) -> None:
    """A server shows no progress."""
