"""The connection to the cluster and the registry that the settings name, and who makes it."""

from __future__ import annotations

import getpass
import socket

from deploy.cluster_api.client import ClusterApi
from deploy.errors import SettingsError
from deploy.registry.objects import Objects
from deploy.registry.registry import Registry
from deploy.settings import DeploySettings


def connect(settings: DeploySettings) -> ClusterApi:
    """The cluster, with the token of its file; raises `SettingsError` when that cannot be read."""
    target = settings.cluster()
    token = None
    if target.token_file is not None:
        try:
            token = target.token_file.expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"cannot read target.token_file {target.token_file}: {error}") from error
        if not token:
            raise SettingsError(f"target.token_file {target.token_file} is empty")
    return ClusterApi(target.address, token=token)


def open_registry(settings: DeploySettings) -> Registry:
    """The registry."""
    return Registry(Objects(settings.registry.place()))


def operator() -> str:
    """Who does this, for the revision and the lock: ``user@machine``."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
