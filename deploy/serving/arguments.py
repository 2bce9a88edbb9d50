"""What an application is built from: the typed arguments that stand in Serve's configuration.

Everything that decides what a replica does is here, so that any change of it is a new version for Serve, which then
starts new replicas before it stops the old ones.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cloud_apis.names import Api
from deploy.errors import SettingsError
from deploy.registry.objects import Place, parse_place
from deploy.registry.reference import ModelReference, parse_reference

Count = Annotated[int, Field(ge=1, le=10_000)]


class Arguments(BaseModel):
    """One API as a replica hosts it. Raises pydantic's `ValidationError` for anything else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: Api = Field(description="the API to offer; its name is also the prefix of its paths")
    models: list[str] = Field(min_length=1, description="models by their digests: NAME@sha256:DIGEST")
    registry_url: str = Field(description="bucket and prefix of the models")
    registry_endpoint_url: str | None = Field(default=None, description="another S3 server than AWS")
    registry_region: str | None = Field(default=None, description="AWS region of the bucket")
    threads: Count = Field(default=1, description="threads within one inference")
    workers: Count = Field(default=1, description="requests that are worked on at a time")
    queue: Count = Field(default=32, description="requests that may wait")
    batch: Count = Field(default=1, description="requests in one inference")
    providers: list[str] = Field(default=["CPUExecutionProvider"], min_length=1, description="execution providers")
    key: str | None = Field(default=None, description="how the API key is known: sha256:HEX or env:NAME; null: none")

    @field_validator("models")
    @classmethod
    def _are_pinned(cls, models: list[str]) -> list[str]:
        for text in models:
            try:
                pinned = parse_reference(text).digest is not None
            except SettingsError as error:
                raise ValueError(str(error)) from error
            if not pinned:
                raise ValueError(f"{text} is not pinned: write NAME@sha256:DIGEST")
        return models

    def references(self) -> tuple[ModelReference, ...]:
        """The models, by their digests."""
        return tuple(parse_reference(text) for text in self.models)

    def place(self) -> Place:
        """Where the models lie."""
        return parse_place(self.registry_url, self.registry_endpoint_url, self.registry_region)
