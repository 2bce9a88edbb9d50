"""Settings of the model registry."""

from __future__ import annotations

from pydantic import Field, field_validator

from deploy.errors import SettingsError
from deploy.registry.objects import Place, parse_place
from deploy.settings.section import HttpUrl, Section


class RegistrySettings(Section):
    """Where the models lie."""

    url: str = Field(description="bucket and prefix, such as s3://my-bucket/plates")
    endpoint_url: HttpUrl | None = Field(
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
