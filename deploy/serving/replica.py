"""One API as a replica hosts it: models from the registry, the same ASGI application as `cloud-apis serve`, a prefix.

Nothing of Ray is in here, so that it can be run and tested without a cluster.
"""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel
from starlette.types import ASGIApp, Message

from cloud_apis.settings import ApiSettings, load_settings
from cloud_apis.web.app import create_app
from deploy.registry.cache import ModelCache
from deploy.registry.folder import process_cache
from deploy.registry.objects import Objects
from deploy.registry.registry import Registry
from deploy.serving.arguments import Arguments
from deploy.serving.keys import key_check
from deploy.serving.prefix import UnderPrefix

_READY = "/v2/health/ready"


def load(arguments: Arguments) -> ASGIApp:
    """Pull the models that are not here yet, check every byte of them, load them, and offer the API at its prefix.

    Raises a `RegistryError` when the registry fails or a model is not what its digest says, `SettingsError` when the
    key is not there, `StartError` when a model cannot be loaded; the replica then never takes a request.
    """
    registry = Registry(Objects(arguments.place()))
    folder = ModelCache(process_cache()).pull(registry, arguments.references(), _quietly)
    settings = settings_of(arguments, load_settings(), str(folder))
    check = None if arguments.key is None else key_check(arguments.key, arguments.registry_url)
    # Without a key the APIs listen on loopback alone (`DeploySettings`): no other name leads to them rightly.
    app = create_app(settings, apis=[arguments.api], api_key=check, local=check is None)
    return UnderPrefix(app, f"/{arguments.api.value}")


def settings_of(arguments: Arguments, settings: ApiSettings, models: str) -> ApiSettings:
    """The settings of the APIs with what the deployment says about this one.

    A replica hosts one API, so all of its models run with the same threads, batch and providers.
    """
    values = arguments.model_dump(include={"threads", "batch", "providers", "workers", "queue"})
    changed: dict[str, object] = {"models": models, "model_references": []}
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        if isinstance(section, BaseModel):
            changed[name] = _with(section, {key: values[key] for key in values.keys() & type(section).model_fields})
    return settings.model_copy(update=changed)


async def is_ready(app: ASGIApp, prefix: str) -> bool:
    """Whether the application answers its readiness route with 200, asked within this process."""
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(_get(prefix + _READY), receive, send)
    return statuses == [200]


def _get(path: str) -> dict[str, object]:
    nobody: Collection[tuple[bytes, bytes]] = ()
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        "headers": list(nobody),
        "client": None,
        "server": None,
    }


def _with(section: BaseModel, values: dict[str, object]) -> BaseModel:
    return type(section).model_validate({**section.model_dump(), **values})


def _quietly(count: int) -> None:
    """A replica shows no progress."""
