"""What all sections of the settings share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Quality = Annotated[int, Field(ge=1, le=100)]


def _off(value: object) -> object:
    return "off" if value is False else value


YAML_OFF = BeforeValidator(_off)
"""For keys that know ``off``: YAML reads a bare one as false."""


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
