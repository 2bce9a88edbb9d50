"""Settings of the APIs: models, copies, resources, limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from cloud_apis.names import MODELS_OF, Api
from deploy.errors import SettingsError
from deploy.registry.reference import ModelReference, parse_reference
from deploy.settings.section import Positive, Section

_ON_CPU = frozenset({"CPUExecutionProvider", "AzureExecutionProvider", "OpenVINOExecutionProvider"})


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
    queue: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=32, description="requests that may wait in a copy; what comes beyond is refused with 503"
    )
    batch: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="requests in one inference; pays on GPUs")
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

    @model_validator(mode="after")
    def _gpu_is_taken(self) -> ApiSettings:
        on_gpu = next((name for name in self.providers if name not in _ON_CPU), None)
        if on_gpu is not None and not self.resources.gpus:
            raise ValueError(f"providers has {on_gpu} and resources.gpus is 0: give it a GPU, or a part")
        return self

    def references(self, api: Api) -> tuple[ModelReference, ...]:
        """The models that this API needs."""
        return tuple(parse_reference(self.models.get(name, name)) for name in MODELS_OF[api])
