"""What all parts of the settings have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from deploy.errors import SettingsError
from deploy.urls import http_url, without_user

Positive = Annotated[int, Field(ge=1, le=10_000)]
Port = Annotated[int, Field(ge=1, le=65535)]
LocalPath = Annotated[Path, Field(strict=False), AfterValidator(Path.expanduser)]
"""A file on the operator's machine; ``~`` is the home folder."""


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """The check with an error as pydantic wants it."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except SettingsError as error:
            raise ValueError(str(error)) from error

    return validate


HttpUrl = Annotated[str, AfterValidator(_checked(http_url))]
"""``http(s)://HOST[:PORT][/PATH]`` without user and password."""
PlainUrl = Annotated[str, AfterValidator(_checked(without_user))]
"""Any URL without user and password: it is shown where others see it."""


class Section(BaseModel):
    """A part of the settings: unknown keys and values of other types are refused, none changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)
