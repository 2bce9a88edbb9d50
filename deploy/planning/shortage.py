"""Whether the machines have room for the copies that the settings ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloud_apis.names import Api
from deploy.settings.apis import ApiSettings


@dataclass(frozen=True, slots=True)
class Room:
    """What the machines or pods of one kind have, each of them, and how many there are at most."""

    group: str
    cpus: float
    gpus: float
    most: int


def shortages(apis: Mapping[Api, ApiSettings], rooms: Sequence[Room]) -> Iterator[str]:
    """One line for each thing that will not fit; the cluster starts nonetheless, and some copies never do."""
    for api, settings in apis.items():
        wanted = settings.resources
        if not any(room.cpus >= wanted.cpus and room.gpus >= wanted.gpus for room in rooms):
            yield (
                f"no machine has room for one copy of {api.value} ({wanted.cpus:g} cores, {wanted.gpus:g} GPUs): "
                "take larger ones"
            )
    cpus = sum(settings.replicas.max * settings.resources.cpus for settings in apis.values())
    gpus = sum(settings.replicas.max * settings.resources.gpus for settings in apis.values())
    for wanted_number, name, room_for in (
        (cpus, "cores", sum(room.most * room.cpus for room in rooms)),
        (gpus, "GPUs", sum(room.most * room.gpus for room in rooms)),
    ):
        if wanted_number > room_for:
            yield (
                f"the APIs ask for {wanted_number:g} {name} at most, and the machines have {room_for:g}: raise the "
                "workers' max, or lower the replicas'"
            )
