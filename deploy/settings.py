"""The settings of a deployment: what may stand in `config/deploy.yaml`, key by key."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cloud_apis.errors import StartError
from cloud_apis.names import MODELS_OF, Api
from cloud_apis.yaml_file import read_settings
from deploy.errors import SettingsError
from deploy.registry.objects import Place, parse_place
from deploy.registry.reference import ModelReference, parse_reference

Positive = Annotated[int, Field(ge=1, le=10_000)]


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RegistrySettings(Section):
    """Where the models lie."""

    url: str = Field(description="bucket and prefix, such as s3://my-bucket/plates")
    endpoint_url: str | None = Field(
        default=None, description="another S3 server than AWS, such as http://127.0.0.1:9000"
    )
    region: str | None = Field(default=None, description="AWS region of the bucket; null: as the environment says")

    @field_validator("url")
    @classmethod
    def _is_place(cls, value: str) -> str:
        try:
            parse_place(value)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return value

    def place(self) -> Place:
        """The bucket with its endpoint."""
        return parse_place(self.url, self.endpoint_url, self.region)


class ReplicaSettings(Section):
    """How many copies of an API run."""

    min: Annotated[int, Field(ge=0, le=10_000)] = Field(default=1, description="copies that always run")
    max: Positive = Field(default=1, description="copies at most")
    target_ongoing_requests: float = Field(
        default=2.0, gt=0, le=1000, description="requests at a time that a copy shall have; more start another copy"
    )
    upscale_delay_s: float = Field(default=10.0, ge=0, le=3600, description="how long it must be too many to start one")
    downscale_delay_s: float = Field(default=120.0, ge=0, le=36000, description="how long too few to end one")

    @model_validator(mode="after")
    def _ascend(self) -> ReplicaSettings:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max {self.max}: min may not be more")
        return self


class ResourceSettings(Section):
    """What one copy of an API takes of its machine."""

    cpus: float = Field(default=1.0, gt=0, le=256, description="processor cores")
    gpus: float = Field(default=0.0, ge=0, le=16, description="GPUs; parts are shared")
    memory_mb: Positive | None = Field(default=None, description="memory that must be free; null: not looked at")


class ApiSettings(Section):
    """One API: its models, copies and limits."""

    models: dict[str, str] = Field(
        default={}, description="model references by name: NAME:TAG or NAME@sha256:DIGEST; missing ones are NAME:latest"
    )
    replicas: ReplicaSettings = Field(default=ReplicaSettings(), description="how many copies run")
    resources: ResourceSettings = Field(default=ResourceSettings(), description="what a copy takes")
    threads: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="threads within one inference")
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="requests that a copy works on at a time"
    )
    queue: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=32, description="requests that may wait in a copy; what comes beyond is refused with 503"
    )
    batch: Annotated[int, Field(ge=1, le=256)] = Field(default=1, description="requests in one inference; pays on GPUs")
    providers: list[str] = Field(
        default=["CPUExecutionProvider"], min_length=1, description="onnxruntime's execution providers"
    )

    @field_validator("models")
    @classmethod
    def _are_references(cls, models: dict[str, str]) -> dict[str, str]:
        for name, text in models.items():
            try:
                reference = parse_reference(text)
            except SettingsError as error:
                raise ValueError(str(error)) from error
            if reference.name != name:
                raise ValueError(f"{name} cannot be the model {reference}")
        return models

    def references(self, api: Api) -> tuple[ModelReference, ...]:
        """The models that this API needs."""
        return tuple(parse_reference(self.models.get(name, name)) for name in MODELS_OF[api])


class RayTarget(Section):
    """A Ray cluster that runs already."""

    kind: Literal["ray"] = Field(description="ray: a running cluster")
    address: str = Field(default="http://127.0.0.1:8265", description="URL of the cluster's dashboard")
    http_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=8000, description="port that the APIs listen on")
    http_host: str = Field(default="127.0.0.1", description="address they listen on; others than loopback need a key")
    token_file: Path | None = Field(default=None, description="file with the cluster's token, if it asks for one")


class DeploySettings(Section):
    """All settings of a deployment."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")] = Field(
        default="plates", description="name of this deployment; its revisions lie under it in the registry"
    )
    registry: RegistrySettings = Field(description="where the models lie")
    target: RayTarget = Field(default=RayTarget(kind="ray"), description="where the APIs run")
    api_key: str | None = Field(
        default=None, description="secret that holds the key that clients send: env:NAME or file:PATH; null: no key"
    )
    apis: dict[Api, ApiSettings] = Field(min_length=1, description="the APIs to run, by name")

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


def default_config() -> Path:
    """The file that comes with the package."""
    return Path(str(resources.files("config"))) / "deploy.yaml"


def load_settings(path: Path | None = None) -> DeploySettings:
    """Read and check a settings file; raises `SettingsError` with one line naming file and key."""
    try:
        return read_settings(path or default_config(), DeploySettings)
    except StartError as error:
        raise SettingsError(str(error)) from error
