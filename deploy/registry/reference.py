"""How models are named: ``yolov3``, ``yolov3:stable`` or ``yolov3@sha256:<64 hexadecimal digits>``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from deploy.errors import SettingsError

DEFAULT_TAG: Final = "latest"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A model by its name and either a tag, which may move, or a digest (SHA-256, hexadecimal), which never does."""

    name: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@sha256:{self.digest}" if self.digest else f"{self.name}:{self.tag}"

    def pinned(self, digest: str) -> ModelReference:
        """The same model by its digest."""
        return ModelReference(self.name, digest=digest)


def parse_reference(text: str) -> ModelReference:
    """Read a reference; a bare name means its tag ``latest``. Raises `SettingsError`."""
    name, at, digest = text.partition("@")
    if at:
        algorithm, _, value = digest.partition(":")
        if _NAME.fullmatch(name) and algorithm == "sha256" and _DIGEST.fullmatch(value):
            return ModelReference(name, digest=value)
    else:
        name, colon, tag = text.partition(":")
        if not colon:
            tag = DEFAULT_TAG
        if _NAME.fullmatch(name) and is_tag(tag):
            return ModelReference(name, tag=tag)
    raise SettingsError(f"{text!r} names no model: write NAME, NAME:TAG or NAME@sha256:DIGEST (64 hexadecimal digits)")


def is_tag(text: str) -> bool:
    """Whether a text may be a tag: letters, digits, `.`, `_` and `-`, at most 128."""
    return _TAG.fullmatch(text) is not None
