"""The settings of a deployment: what may stand in `config/deploy.yaml`, key by key."""

from deploy.settings.apis import ApiSettings, ReplicaSettings, ResourceSettings
from deploy.settings.aws import AwsTarget
from deploy.settings.cluster import ClusterAddress, RayTarget
from deploy.settings.file import DeploySettings, Target, default_config, load_settings
from deploy.settings.kubernetes import KubernetesTarget
from deploy.settings.registry import RegistrySettings
from deploy.settings.section import Section

__all__ = [
    "ApiSettings",
    "AwsTarget",
    "ClusterAddress",
    "DeploySettings",
    "KubernetesTarget",
    "RayTarget",
    "RegistrySettings",
    "ReplicaSettings",
    "ResourceSettings",
    "Section",
    "Target",
    "default_config",
    "load_settings",
]
