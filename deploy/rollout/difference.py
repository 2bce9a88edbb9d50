"""How the wanted applications differ from those that run, in the words of the settings file. Pure.

Both sides are descriptions as `deploy.serving.description` makes them: the cluster gives back what it was told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploy.serving.description import DEPLOYMENT

# Where the description says what the settings call otherwise.
_NAMES = {
    "runtime_env.working_dir": "code",
    f"runtime_env.env_vars.{DEPLOYMENT}": "deployment",
    "num_replicas": "replicas",
    **{f"autoscaling_config.{bound}_replicas": f"replicas.{bound}" for bound in ("min", "max")},
    **{
        f"autoscaling_config.{key}": f"replicas.{key}"
        for key in ("target_ongoing_requests", "upscale_delay_s", "downscale_delay_s")
    },
    "ray_actor_options.num_cpus": "resources.cpus",
    "ray_actor_options.num_gpus": "resources.gpus",
    "ray_actor_options.memory": "resources.memory_bytes",
    "registry_url": "registry.url",
    "registry_endpoint_url": "registry.endpoint_url",
    "registry_region": "registry.region",
    "key": "api_key",
}


# What Serve copies into each application from the description of the whole.
_COPIED = "logging_config"


class Kind(StrEnum):
    """What becomes of an application."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """One key with its old and its new value; None where there was or will be none."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class ApplicationDifference:
    """What becomes of one application; its changes, or all that is stated of one that is added."""

    name: str
    kind: Kind
    changes: tuple[Change, ...] = ()
    starts_replicas: bool = False
    """Whether new replicas take the place of old ones; else those that run are told."""


def differences(
    wanted: Sequence[Mapping[str, Any]], running: Sequence[Mapping[str, Any]]
) -> tuple[ApplicationDifference, ...]:
    """What becomes of each application that is wanted or runs, in the order of their names."""
    new = {str(each["name"]): each for each in wanted}
    old = {str(each["name"]): each for each in running}
    return tuple(_difference(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))


def is_same(found: Sequence[ApplicationDifference]) -> bool:
    """Whether nothing would change."""
    return all(each.kind is Kind.SAME for each in found)


def _difference(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> ApplicationDifference:
    if new is None:
        return ApplicationDifference(name, Kind.REMOVED)
    if old is None:
        stated = tuple(Change(key, None, value) for key, value in sorted(_flat(new).items()) if value is not None)
        return ApplicationDifference(name, Kind.ADDED, stated, starts_replicas=True)
    before, after = _flat({key: value for key, value in old.items() if key != _COPIED or key in new}), _flat(new)
    changes = tuple(
        Change(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )
    starts = _of_replicas(old) != _of_replicas(new)
    return ApplicationDifference(name, Kind.CHANGED if changes else Kind.SAME, changes, starts)


def _of_replicas(description: Mapping[str, Any]) -> list[Any]:
    """What Serve starts new replicas for when it changes."""
    options = [each.get("ray_actor_options") for each in description.get("deployments", ())]
    return [description.get("import_path"), description.get("runtime_env"), description.get("args"), options]


def _flat(description: Mapping[str, Any]) -> dict[str, Any]:
    """All values by dotted keys, called as in the settings."""
    return {_NAMES.get(key, key): value for key, value in _leaves("", description)}


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            # Arguments and the only deployment are what the settings call an API's own keys.
            yield from _leaves(prefix if key == "args" else f"{prefix}{key}.", inner)
    elif prefix == "deployments.":
        for each in value:
            yield from _leaves("", {key: inner for key, inner in each.items() if key != "name"})
    elif prefix == "models.":
        for reference in value:
            name, _, digest = str(reference).partition("@")
            yield f"models.{name}", digest
    else:
        yield prefix.removesuffix("."), value
