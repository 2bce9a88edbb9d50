"""One applied configuration, complete enough to apply it again much later, without any secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloud_apis.names import Api
from deploy.errors import CorruptError

_FORM = 1


@dataclass(frozen=True, slots=True)
class Content:
    """What runs or shall run: settings as they came, models by digest, code by hash."""

    apis: Mapping[Api, Mapping[str, Any]]
    """Settings of each API as `deploy.settings.ApiSettings` has them, in JSON's types."""
    models: Mapping[str, str]
    """Each model reference as it stands in the settings (``yolov3:latest``) and the digest that it meant."""
    code: str | None
    """SHA-256 of the code archive; None for code that is installed on the nodes."""
    api_key: str | None
    """Where the key is (``env:NAME``, ``file:PATH``), never the key."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Content that was applied, with its number, when (UTC), by whom and why."""

    number: int
    applied: datetime
    by: str
    reason: str
    content: Content
    nonce: str = ""
    """Tells it from one that someone else writes at the same moment with the same content."""

    def to_bytes(self) -> bytes:
        """The object's content: JSON for people and programs."""
        plain = {
            "form": _FORM,
            "number": self.number,
            "applied": self.applied.astimezone(UTC).isoformat(timespec="seconds"),
            "by": self.by,
            "reason": self.reason,
            "nonce": self.nonce,
            "apis": {str(api): dict(settings) for api, settings in self.content.apis.items()},
            "models": dict(self.content.models),
            "code": self.content.code,
            "api_key": self.content.api_key,
        }
        return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def parse_revision(data: bytes, where: str) -> Revision:
    """Read a revision; raises `CorruptError` that names the place."""
    try:
        plain: Any = json.loads(data)
        if plain["form"] != _FORM:
            raise ValueError(f"its form is {plain['form']}: a newer cloud-deploy wrote it")
        content = Content(
            {Api(api): dict(settings) for api, settings in plain["apis"].items()},
            {str(reference): str(digest) for reference, digest in plain["models"].items()},
            _text_or_none(plain["code"]),
            _text_or_none(plain["api_key"]),
        )
        applied = datetime.fromisoformat(plain["applied"])
        nonce = str(plain.get("nonce", ""))  # older ones have none
        return Revision(int(plain["number"]), applied, str(plain["by"]), str(plain["reason"]), content, nonce)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptError(f"{where} is no revision that can be read: {error}") from error


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
