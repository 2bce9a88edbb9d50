"""What Serve imports: `build`, which turns an application's arguments into one deployment behind HTTP.

The deployment is the ASGI application itself. With HAProxy in front (`RAY_SERVE_ENABLE_HA_PROXY`) a request goes from
HAProxy to the replica's own port and nowhere else.
"""

# No `from __future__ import annotations` here: Serve looks at the annotation of `build` to parse the arguments.
from typing import Any

from ray import serve
from ray.serve import Application
from starlette.types import ASGIApp

from deploy.serving.arguments import Arguments
from deploy.serving.replica import is_ready, load

# A replica that cannot start is tried once more, somewhere else if there is a place; then the new version has failed.
_TRIES = 2


class Replica:
    """One copy of an API; it takes requests once its models are verified and loaded."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = Arguments.model_validate(arguments)
        self._hosted: ASGIApp | None = None

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application; Serve asks for it once, in the replica's process."""
        self._hosted = load(self._arguments)
        return self._hosted

    async def check_health(self) -> None:
        """Raise when the application is not ready; Serve then replaces this replica."""
        prefix = f"/{self._arguments.api.value}"
        if self._hosted is not None and not await is_ready(self._hosted, prefix):
            raise RuntimeError(f"{prefix} is not ready")


def build(arguments: Arguments) -> Application:
    """The application of one API; Serve parses the arguments and refuses others."""
    deployment = serve.deployment(name=arguments.api.value, max_constructor_retry_count=_TRIES)(
        serve.ingress()(Replica)
    )
    return deployment.bind(arguments.model_dump(mode="json"))
