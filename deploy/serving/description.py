"""The description of a deployment as Serve's REST interface wants it. Pure: settings in, JSON out.

How Serve (2.60) takes a new description, which the rollout builds upon:

- An application's name and route prefix stay the same for ever: ``yolov3`` at ``/yolov3``. Nothing else is needed for
  an update without a gap, since ``max_surge_percent`` lets Serve start the new replicas beside the old ones and stop
  each old one only when as many new ones are healthy. Where the cluster has no room for them the old ones serve on
  and the application stays DEPLOYING.
- ``import_path``, ``runtime_env`` or ``args`` changed: new replicas. Only numbers of replicas, delays or limits
  changed: the running replicas are told, nothing is started.
- While Serve imports new code, for some seconds, and while replicas are told new limits, HAProxy is told of no replica
  and hands requests to Serve's own proxy on the head, which knows them: slower, but none is lost.
- Code that cannot be imported, or arguments that are refused: the application is DEPLOY_FAILED and its old replicas
  serve on, by way of the head's proxy. Replicas that cannot start (a wrong hash, no registry): DEPLOY_FAILED after two
  tries, and the old replicas serve on. But Serve then replaces no old replica that dies, so that whoever follows the
  deployment has to PUT the former description again.
- A PUT is the whole truth: applications that are not in it are stopped, whoever put them there.
- ``http_options`` and ``proxy_location`` count at the first PUT only, until Serve is shut down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cloud_apis.names import Api
from deploy.registry.reference import ModelReference
from deploy.serving.arguments import Arguments
from deploy.settings import ApiSettings, DeploySettings

IMPORT_PATH: Final = "deploy.serving.application:build"
DEPLOYMENT: Final = "PLATE_DEPLOYMENT"
"""A variable of the replicas: whose they are, for others who deploy to the same cluster. An argument it is not, since
code of earlier revisions would refuse it."""
Description = dict[str, Any]
"""JSON as Serve's REST interface has it."""

# The API refuses by itself what does not fit its queue, with its own error body; Serve's own limits lie above, so
# that they show only where thousands of clients are busy sending.
_BUSY_MARGIN = 64
_RETRY_AFTER_S = 1
_KEEP_ALIVE_S = 75
_HEALTH_PERIOD_S, _HEALTH_TIMEOUT_S = 5.0, 20.0
_STOP_S = 60.0


def application(
    api: Api,
    settings: DeploySettings,
    models: Sequence[ModelReference],
    *,
    code_uri: str | None,
    key: str | None,
) -> Description:
    """One API as an application of Serve.

    ``models`` are all that the API needs, by their digests (`Registry.resolve`). ``code_uri`` names the uploaded code
    archive (`deploy.archive.store.code_uri`), None where the nodes have the code themselves. ``key`` is `keys.hashed`
    of the API key, or ``env:NAME``, or None.
    """
    chosen = settings.apis[api]
    arguments = Arguments(
        api=api,
        models=[str(model) for model in models],
        registry_url=settings.registry.url,
        registry_endpoint_url=settings.registry.endpoint_url,
        registry_region=settings.registry.region,
        threads=chosen.threads,
        workers=chosen.workers,
        queue=chosen.queue,
        batch=chosen.batch,
        providers=chosen.providers,
        key=key,
    )
    return {
        "name": api.value,
        "route_prefix": f"/{api.value}",
        "import_path": IMPORT_PATH,
        "runtime_env": {
            "env_vars": {DEPLOYMENT: settings.name},
            **({} if code_uri is None else {"working_dir": code_uri}),
        },
        "args": arguments.model_dump(mode="json"),
        "deployments": [_deployment(api, chosen)],
    }


def deployment(
    settings: DeploySettings, applications: Sequence[Mapping[str, Any]], *, http_host: str, http_port: int
) -> Description:
    """The whole description, for `ClusterApi.apply`.

    HAProxy listens on every node that has a replica, and on the head. Of several nodes each must be able to reach the
    replicas of the others: with a loopback ``http_host`` a cluster can have one node only.
    """
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": http_host, "port": http_port, "keep_alive_timeout_s": _KEEP_ALIVE_S},
        "logging_config": {"enable_access_log": False},
        "applications": [dict(each) for each in applications],
    }


def _deployment(api: Api, chosen: ApiSettings) -> Description:
    replicas, resources = chosen.replicas, chosen.resources
    options: Description = {
        "name": api.value,
        "max_ongoing_requests": 2 * (chosen.workers * chosen.batch + chosen.queue) + _BUSY_MARGIN,
        "max_queued_requests": _BUSY_MARGIN,
        "backpressure_config": {"status_code": 503, "retry_after_s": _RETRY_AFTER_S},
        "ray_actor_options": {"num_cpus": resources.cpus, "num_gpus": resources.gpus},
        "health_check_period_s": _HEALTH_PERIOD_S,
        "health_check_timeout_s": _HEALTH_TIMEOUT_S,
        "graceful_shutdown_wait_loop_s": 0.5,
        "graceful_shutdown_timeout_s": _STOP_S,
        "max_surge_percent": 100,
        "rolling_update_percentage": 1.0,
    }
    if resources.memory_mb is not None:
        options["ray_actor_options"]["memory"] = resources.memory_mb * 2**20
    if replicas.min == replicas.max:
        options["num_replicas"] = replicas.min
    else:
        options["autoscaling_config"] = {
            "min_replicas": replicas.min,
            "max_replicas": replicas.max,
            "target_ongoing_requests": replicas.target_ongoing_requests,
            "upscale_delay_s": replicas.upscale_delay_s,
            "downscale_delay_s": replicas.downscale_delay_s,
        }
    return options
