"""What the classifier's manifest says of its heads."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cloud_apis.attributes.postprocess import OTHER
from cloud_apis.errors import StartError
from cloud_apis.model_files import Manifest


class HeadManifest(BaseModel):
    """A head: its output's name, its classes in order, and how its logits become answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="the head's name, that of the output")
    labels: list[str] = Field(min_length=2, description='classes in order; models as "make/model", others as "*"')
    temperature: float = Field(default=1.0, gt=0, le=20, description="that logits are divided by before the softmax")
    least: float = Field(default=0.0, ge=0, le=1, description="probability below which none is named")


_HEADS: Final = TypeAdapter(Annotated[list[HeadManifest], Field(min_length=1)])


def heads_of(manifest: Manifest) -> tuple[HeadManifest, ...]:
    """The heads that a manifest describes; raises `StartError` when it does not describe them rightly."""
    content = (manifest.model_extra or {}).get("heads")
    try:
        heads = tuple(_HEADS.validate_python(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StartError(f"{manifest.name}.json: heads.{place}: {first['msg']}") from error
    by_name = {head.name: head for head in heads}
    if "model" in by_name:
        makes = set(by_name["make"].labels) if "make" in by_name else set()
        strange = [label for label in by_name["model"].labels if label.split("/")[0] not in makes]
        if strange or OTHER not in by_name["model"].labels:
            raise StartError(f"{manifest.name}.json: heads: models need the head make with their makes ({strange[:1]})")
    return heads


def output_names(manifest: Manifest) -> tuple[str, ...]:
    """The outputs that are read, one for each head, in the manifest's order."""
    return tuple(head.name for head in heads_of(manifest))
