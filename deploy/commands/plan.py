"""`cloud-deploy plan`: what a number of cameras takes and costs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.commands.throughput import add_options, count, throughput
from deploy.planning.capacity import UTILISATION, Demand, Plan, Throughput, plan
from deploy.planning.prices import PriceTable, load_prices
from deploy.settings.aws import HeadSettings

_ORIGINAL = (12, 20, "g4dn.xlarge")
"""Machines that the original system took for one camera of 30 frames a second, priced as the cheapest with a GPU."""
_HEAD = HeadSettings().machine


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "plan",
        help="what a number of cameras takes and costs",
        description="Copies of the APIs, machines and price for a number of cameras, from the throughput of this "
        "machine's cores (measured for some seconds) or one that you give. Run it on the kind of machine that you "
        f"want to rent. {UTILISATION:.0%} of what is measured is planned with.",
    )
    it.add_argument("--cameras", type=count, required=True, help="how many devices send at the same time")
    it.add_argument("--machine", action="append", metavar="NAME", help="only these machines (may be repeated)")
    it.add_argument(
        "--head",
        metavar="NAME",
        help=f"machine of the cluster itself (default: {_HEAD}, or the cheapest if the table does not have it)",
    )
    it.add_argument("--prices", type=Path, metavar="FILE", help="table of machines (default: config/machines.yaml)")
    add_options(it)
    it.add_argument("--json", action="store_true", help="for programs")
    it.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> None:
    prices = load_prices(arguments.prices)
    machines = [prices.machine(name) for name in arguments.machine or prices.machines]
    head = prices.machine(arguments.head or _head(prices))
    found = throughput(arguments)
    demand = Demand(arguments.cameras, arguments.fps, arguments.reads_per_second)
    plans = sorted((plan(demand, found, machine, head) for machine in machines), key=lambda p: p.usd_per_hour)
    if arguments.json:
        print(json.dumps(_plain(demand, found, plans), indent=2))
        return
    print(f"one core: {found.frames_hz:.0f} frames/s, or {found.crops_hz:.0f} plates read/s")
    best = plans[0]
    print(f"{demand.cameras} cameras at {demand.frames_hz:g} frames/s: {best.detector_copies} copies of yolov3 "
          f"and {best.reader_copies} of crnn, one core each")  # fmt: skip
    table = Table("machine", "cores", "machines", "USD an hour", "USD an hour and camera")
    for one in plans:
        table.add_row(
            one.machine.name,
            str(one.machine.cores),
            str(one.machines),
            f"{one.usd_per_hour:.2f}",
            f"{one.usd_per_hour / demand.cameras:.4f}",
        )
    Console().print(table)
    print(f"in each price: {head.usd_per_hour:.2f} USD an hour for one {head.name}, which runs the cluster itself")
    conditions = "on demand, without traffic, disks and load balancer"
    print(f"prices of {prices.region}, noted {prices.noted.isoformat()}, {conditions}")
    few, many, name = _ORIGINAL
    if name in prices.machines:
        price = prices.machines[name].usd_per_hour
        print(
            f"the system that this one follows took {few} to {many} GPU machines for one camera: "
            f"{few * price:.2f} to {many * price:.2f} USD an hour as {name}"
        )


def _head(prices: PriceTable) -> str:
    """The machine that `cluster up` takes if the settings name none."""
    return _HEAD if _HEAD in prices.machines else min(prices.machines, key=lambda name: prices.entry(name).usd_per_hour)


def _plain(demand: Demand, found: Throughput, plans: list[Plan]) -> dict[str, object]:
    return {
        "cameras": demand.cameras,
        "frames_per_core_hz": round(found.frames_hz, 2),
        "crops_per_core_hz": round(found.crops_hz, 2),
        "plans": [
            {
                "machine": one.machine.name,
                "machines": one.machines,
                "head": one.head.name,
                "detector_copies": one.detector_copies,
                "reader_copies": one.reader_copies,
                "usd_per_hour": round(one.usd_per_hour, 4),
                "usd_per_camera_hour": round(one.usd_per_hour / demand.cameras, 5),
            }
            for one in plans
        ],
    }
