"""From cameras to copies, machines and prices. Pure arithmetic over measured throughput."""

from __future__ import annotations

import math
from dataclasses import dataclass

UTILISATION = 0.7
"""Share of a copy's capacity that is planned with: the rest keeps answers quick when cameras come in bunches."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the devices ask for: ``crops_per_camera_hz`` plates to read a second, of each camera on average."""

    cameras: int
    frames_hz: float
    crops_per_camera_hz: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one core does: frames to find plates in, and crops to read, a second."""

    frames_hz: float
    crops_hz: float


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of machine with its cores (as the system counts them) and its price."""

    name: str
    cores: int
    usd_per_hour: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed: copies (of one core each) per API, machines that run them, the one that runs the cluster itself
    and no API (the head), and US dollars an hour."""

    detector_copies: int
    reader_copies: int
    machine: Machine
    machines: int
    head: Machine

    @property
    def usd_per_hour(self) -> float:
        """Price of all machines, the head among them."""
        return self.machines * self.machine.usd_per_hour + self.head.usd_per_hour


def copies(rate_hz: float, per_copy_hz: float) -> int:
    """Copies that serve a rate at the planned utilisation, at least one."""
    return max(1, math.ceil(rate_hz / (UTILISATION * per_copy_hz)))


def plan(demand: Demand, throughput: Throughput, machine: Machine, head: Machine) -> Plan:
    """The copies for a demand, and how many machines of one kind hold them, beside the head."""
    detectors = copies(demand.cameras * demand.frames_hz, throughput.frames_hz)
    readers = copies(demand.cameras * demand.crops_per_camera_hz, throughput.crops_hz)
    machines = math.ceil((detectors + readers) / machine.cores)
    return Plan(detectors, readers, machine, machines, head)


def carried(cores: int, demand: Demand, throughput: Throughput) -> int:
    """Cameras, each as the demand has them, that the copies on so many cores serve."""
    cores_per_camera = (
        demand.frames_hz / throughput.frames_hz + demand.crops_per_camera_hz / throughput.crops_hz
    ) / UTILISATION
    return math.floor(cores / cores_per_camera + 1e-9)  # 7 of 7 fit, however the division is rounded
