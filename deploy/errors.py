"""What can go wrong in a deployment, as one small tree; each message is one line that says what to do.

DeployError
├── SettingsError    config/deploy.yaml is wrong: the command exits with 2
├── RegistryError    the bucket cannot be reached, denies, or lacks something
│   ├── AccessError       missing, wrong or expired credentials, or no permission
│   ├── UnreachableError  no connection, or no answer in time
│   ├── MissingError      no such bucket, model or tag
│   │   └── MissingBucketError  no such bucket: nothing can be put there either
│   └── CorruptError      what came is not what its hash says
├── ConflictError    someone else changes the same deployment
├── RolloutError     the new version does not come up; the old one serves on
└── ClusterError     the cluster failed
    ├── ClusterUnreachableError  no connection, or no answer in time
    ├── ClusterDeniedError       it wants a token, or another one
    ├── ClusterVersionError      it is not Ray, or not a version that is known to work
    └── ClusterRefusedError      it can make no sense of the description
"""

from __future__ import annotations


class DeployError(Exception):
    """Anything that a deployment can fail with."""


class SettingsError(DeployError):
    """The settings cannot be read or are wrong."""


class RegistryError(DeployError):
    """The model registry failed."""


class AccessError(RegistryError):
    """Missing, wrong or expired credentials, or a permission that is missing."""


class UnreachableError(RegistryError):
    """No connection to the registry, or no answer in time."""


class MissingError(RegistryError):
    """There is no such bucket, model or tag."""


class MissingBucketError(MissingError):
    """There is no such bucket: nothing can be put there either."""


class CorruptError(RegistryError):
    """What was read is not what its hash says."""


class ConflictError(DeployError):
    """Someone else changes the same deployment at the same time."""


class RolloutError(DeployError):
    """The new version did not come up; what ran before runs on."""


class ClusterError(DeployError):
    """The cluster cannot be reached or refused what was asked."""


class ClusterUnreachableError(ClusterError):
    """No connection to the cluster, or no answer in time."""


class ClusterDeniedError(ClusterError):
    """The cluster wants a token, or another one."""


class ClusterVersionError(ClusterError):
    """What answers is not Ray, or not a version that is known to work."""


class ClusterRefusedError(ClusterError):
    """The cluster can make no sense of the description that it was given."""
