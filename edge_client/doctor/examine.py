"""One part after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edge_client.config import EdgeSettings
from edge_client.doctor import apis, camera, clock, disk, gps, heat, network, outputs, software, stored, targets
from edge_client.doctor.finding import Finding
from edge_client.doctor.machine import Machine

LISTEN_S = 5.0


def examine(
    settings: EdgeSettings, source: str | None = None, machine: Machine | None = None, *, listen_s: float = LISTEN_S
) -> Iterator[Finding]:
    """Examines one part after the other; never raises for what is wrong with a part.

    Args:
        settings: what the drive would use.
        source: the camera to take a picture from, None to take none.
        machine: where to look.
        listen_s: how long a receiver of positions may take for a fix.
    """
    machine = machine or Machine()
    yield software.python()
    yield software.packages()
    yield software.encoder()
    yield camera.cameras(machine)
    if source is not None:
        yield from camera.picture(source, settings.source)
    heard = gps.listen(settings.positions, machine, listen_s)
    yield heard.finding
    now, gps_utc = clock.utc_now(), heard.utc_at(time.monotonic())
    yield clock.clock(machine, now, clock.kernel_synchronised(), gps_utc)
    yield network.way_out(settings.apis, machine)
    yield from apis.apis(settings.apis, vehicles=settings.vehicles.enabled)
    yield from stored.reads(settings.reads)
    yield stored.recordings(settings.recording)
    yield from disk.disks(machine, stored.written_folders(settings))
    yield from targets.events(settings.events)
    yield outputs.screen(settings.window, machine)
    yield outputs.page(settings.web)
    yield heat.temperature(machine)
    if (throttling := heat.throttling(machine)) is not None:
        yield throttling
