"""What a cluster costs an hour, with its least and with its most machines. Pure arithmetic over the price table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.aws.nodes import HEAD
from deploy.planning.prices import PriceTable
from deploy.settings.aws import AwsTarget, MachineSettings

_HOURS_A_MONTH = 730.0


@dataclass(frozen=True, slots=True)
class Line:
    """Machines of one kind: how many at least and at most, and what each costs with its disk."""

    group: str
    machine: str
    cores: int
    gpus: int
    least: int
    most: int
    usd_per_hour: float
    spot: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A cluster's price: its machines on demand with disks, and its load balancer. Traffic and Redis come on top."""

    lines: Sequence[Line]
    balancer_usd_per_hour: float

    @property
    def least_usd_per_hour(self) -> float:
        """With the machines that always run."""
        return self.balancer_usd_per_hour + sum(line.least * line.usd_per_hour for line in self.lines)

    @property
    def most_usd_per_hour(self) -> float:
        """With all machines that the settings allow."""
        return self.balancer_usd_per_hour + sum(line.most * line.usd_per_hour for line in self.lines)

    @property
    def workers(self) -> Sequence[Line]:
        """The machines that run the APIs."""
        return [line for line in self.lines if line.group != HEAD]

    @property
    def most_cores(self) -> int:
        """Cores for the APIs' copies, on all machines that the settings allow."""
        return sum(line.most * line.cores for line in self.workers)


def estimate(target: AwsTarget, prices: PriceTable) -> Estimate:
    """The price of a cluster; raises `SettingsError` for a machine that the table does not have."""
    lines = [_line(HEAD, target.head, prices, 1, 1)]
    for name, group in target.workers.items():
        lines.append(_line(name, group, prices, group.min, group.max, spot=group.spot))
    return Estimate(tuple(lines), 0.0 if target.target_group is None else prices.balancer_usd_per_hour)


def _line(
    name: str, machine: MachineSettings, prices: PriceTable, least: int, most: int, *, spot: bool = False
) -> Line:
    entry = prices.entry(machine.machine)
    disk_usd_per_hour = machine.disk_gb * prices.disk_usd_per_gb_month / _HOURS_A_MONTH
    each = entry.usd_per_hour + disk_usd_per_hour
    return Line(name, machine.machine, entry.cores, entry.gpu_count, least, most, each, spot)
