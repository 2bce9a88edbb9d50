"""The whole settings file, `config/deploy.yaml`, and how it is read."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from cloud_apis.errors import StartError
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.yaml_file import read_settings
from deploy.errors import SettingsError
from deploy.settings.apis import ApiSettings
from deploy.settings.aws import AwsTarget
from deploy.settings.cluster import ClusterAddress, RayTarget
from deploy.settings.kubernetes import KubernetesTarget
from deploy.settings.registry import RegistrySettings
from deploy.settings.section import LocalPath, Section

Target = Annotated[RayTarget | AwsTarget | KubernetesTarget, Field(discriminator="kind")]
ApiName = Annotated[Api, Field(strict=False)]
"""YAML has its name."""


class DeploySettings(Section):
    """All settings of a deployment."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")] = Field(
        default="plates", description="name of this deployment; its revisions lie under it in the registry"
    )
    registry: RegistrySettings = Field(description="where the models lie")
    target: Target = Field(default=RayTarget(kind="ray"), description="where the APIs run")
    api_key: str | None = Field(
        default=None, description="secret that holds the key that clients send: env:NAME or file:PATH; null: no key"
    )
    catalogue: LocalPath | None = Field(
        default=None,
        description="table of facts about models that `python -m tools.catalogue import` made, which goes to the "
        "replicas with the code; null: the shipped one",
    )
    apis: dict[ApiName, ApiSettings] = Field(min_length=1, description="the APIs to run, by name")

    @field_validator("api_key")
    @classmethod
    def _is_secret_reference(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(("env:", "file:")) and value.partition(":")[2]):
            raise ValueError("write where the key is, not the key: env:NAME or file:PATH")
        return value

    @model_validator(mode="after")
    def _models_belong(self) -> DeploySettings:
        for api, settings in self.apis.items():
            for name in settings.models:
                if name not in MODELS_OF[api]:
                    raise ValueError(
                        f"apis.{api.value} has no use for a model {name}; it needs {', '.join(MODELS_OF[api])}"
                    )
        return self

    @model_validator(mode="after")
    def _key_where_others_reach_it(self) -> DeploySettings:
        if isinstance(self.target, ClusterAddress):
            if not self.target.is_local and self.api_key is None:
                raise ValueError(f"the APIs listen on {self.target.http_host}, which others reach: set api_key")
        elif not (self.api_key or "").startswith("env:"):
            raise ValueError("target kubernetes needs api_key as env:NAME; the pods have it from the Secret")
        return self

    @model_validator(mode="after")
    def _catalogue_goes_with_the_code(self) -> DeploySettings:
        if self.catalogue is not None and isinstance(self.target, KubernetesTarget):
            raise ValueError("with target kubernetes the code is the image: build it with your config/catalogue.csv, "
                             "and leave catalogue null")  # fmt: skip
        return self

    def cluster(self) -> ClusterAddress:
        """The cluster's address; raises `SettingsError` for a target that has none."""
        if isinstance(self.target, ClusterAddress):
            return self.target
        raise SettingsError("target.kind is kubernetes: this command needs a cluster's address, target ray or aws")


def default_config() -> Path:
    """The file that comes with the package."""
    return Path(str(resources.files("config"))) / "deploy.yaml"


def load_settings(path: Path | None = None) -> DeploySettings:
    """Read and check a settings file; raises `SettingsError` with one line naming file and key."""
    try:
        return read_settings(path or default_config(), DeploySettings)
    except StartError as error:
        raise SettingsError(str(error)) from error
