"""`cloud-deploy cluster`: up, down, status of a cluster on AWS."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from deploy.aws import requirements
from deploy.aws.account import check_credentials, client
from deploy.aws.cost import Estimate, estimate
from deploy.aws.instances import Instance, instances
from deploy.aws.launch import launch
from deploy.aws.launcher import configuration, render
from deploy.commands.asking import confirmed
from deploy.commands.throughput import add_options, count, throughput
from deploy.errors import ClusterError, SettingsError
from deploy.planning.capacity import Demand, carried
from deploy.planning.prices import PriceTable, load_prices
from deploy.planning.shortage import Room, shortages
from deploy.settings import AwsTarget, DeploySettings, load_settings

_NOTHING_DONE = "nothing was changed"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "cluster",
        help="start, end and list the machines of a cluster on AWS",
        description="Machines for target aws of the settings, started and ended by Ray's own launcher. What stands "
        "around them (roles, security groups, load balancer, bucket) is a CloudFormation stack: see docs/cloud.md.",
    )
    actions = it.add_subparsers(dest="action", required=True)
    up = actions.add_parser(
        "up",
        help="start the cluster, or bring a running one to the settings",
        description="Shows what the cluster costs an hour and per camera, asks, and starts it. A cluster that runs "
        "is brought to the settings; Ray is restarted on its head, while the workers go on serving if target.redis "
        "is set.",
    )
    up.add_argument(
        "--dry-run", action="store_true", help="write the launcher's configuration to stdout, start nothing"
    )
    up.add_argument("--output", type=Path, metavar="FILE", help="write it to a file, start nothing")
    up.add_argument(
        "--cameras", type=count, metavar="N", help="devices to share the price by (default: as many as fit)"
    )
    add_options(up)
    up.set_defaults(run=_up)
    down = actions.add_parser("down", help="end all machines of the cluster")
    down.set_defaults(run=_down)
    status = actions.add_parser("status", help="list the machines of the cluster")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)
    for action in (up, down):
        action.add_argument("--yes", action="store_true", help="do not ask")
        action.add_argument(
            "--prices", type=Path, metavar="FILE", help="table of machines (default: config/machines.yaml)"
        )
    for action in (up, down, status):
        action.add_argument("--config", type=Path, help="settings file (default: the shipped one, which has no AWS)")


def _up(arguments: argparse.Namespace) -> None:
    settings, target = _target(arguments.config)
    prices = load_prices(arguments.prices)
    rendered = render(configuration(target, prices))
    shown = Console(stderr=arguments.dry_run)
    price = estimate(target, prices)
    shown.print(_price_table(price))
    shown.print(_conditions(target, prices, price), soft_wrap=True, highlight=False)
    shown.print(_per_camera(price, arguments), soft_wrap=True, highlight=False)
    for line in shortages(settings.apis, [Room(one.group, one.cores, one.gpus, one.most) for one in price.workers]):
        shown.print(f"[yellow]note: {line}[/]", soft_wrap=True, highlight=False)
    if arguments.output is not None:
        _write(arguments.output, rendered)
        shown.print(
            f"{arguments.output} is written; `ray up {arguments.output}` would start it",
            soft_wrap=True,
            highlight=False,
        )
    if arguments.dry_run:
        print(rendered, end="")
    if arguments.dry_run or arguments.output is not None:
        return
    requirements.check(target)
    check_credentials(target.region)
    if not confirmed(f"start {target.cluster_name} in {target.region}?", yes=arguments.yes):
        raise ClusterError(_NOTHING_DONE)
    if requirements.make_token(target.token_file):
        print(f"made the cluster's token: {target.token_file}")
    launch("up", rendered)
    print(f"the cluster {target.cluster_name} is up; open the tunnel to {target.address} as docs/cloud.md says, then "
          "`cloud-deploy deploy`")  # fmt: skip


def _down(arguments: argparse.Namespace) -> None:
    _, target = _target(arguments.config)
    rendered = render(configuration(target, load_prices(arguments.prices)))
    requirements.check(target)
    check_credentials(target.region)
    running = instances(client("ec2", target.region), target.cluster_name)
    if not running:
        print(f"no machine of {target.cluster_name} runs in {target.region}")
        return
    _show_instances(Console(), running)
    if not confirmed(f"end these {len(running)} machines of {target.cluster_name} and the APIs on them?",
                     yes=arguments.yes):  # fmt: skip
        raise ClusterError(_NOTHING_DONE)
    launch("down", rendered)
    if left := instances(client("ec2", target.region), target.cluster_name):
        raise ClusterError(f"{len(left)} machines are still there: `cloud-deploy cluster status` lists them")


def _status(arguments: argparse.Namespace) -> None:
    _, target = _target(arguments.config)
    running = instances(client("ec2", target.region), target.cluster_name)
    if arguments.json:
        print(json.dumps([_plain(one) for one in running], indent=2))
        return
    if not running:
        print(f"no machine of {target.cluster_name} runs in {target.region}")
        return
    _show_instances(Console(), running)


def _target(config: Path | None) -> tuple[DeploySettings, AwsTarget]:
    settings = load_settings(config)
    if not isinstance(settings.target, AwsTarget):
        raise SettingsError(
            f"target.kind is {settings.target.kind}: this command is for aws; name your settings with --config"
        )
    return settings, settings.target


def _price_table(price: Estimate) -> Table:
    table = Table("group", "machine", "cores", "GPUs", "machines", "USD an hour each")
    for line in price.lines:
        machines = str(line.least) if line.least == line.most else f"{line.least} to {line.most}"
        each = f"{line.usd_per_hour:.4f}" + (" on demand; spot is less" if line.spot else "")
        table.add_row(line.group, line.machine, str(line.cores), str(line.gpus), machines, each)
    return table


def _conditions(target: AwsTarget, prices: PriceTable, price: Estimate) -> str:
    balancer = f", {price.balancer_usd_per_hour:.4f} of it the load balancer" if price.balancer_usd_per_hour else ""
    elsewhere = "" if target.region == prices.region else f" (prices in {target.region} differ)"
    return (
        f"{price.least_usd_per_hour:.2f} to {price.most_usd_per_hour:.2f} USD an hour{balancer}; prices of "
        f"{prices.region}{elsewhere}, noted {prices.noted.isoformat()}, with disks, without traffic, NAT and Redis"
    )


def _per_camera(price: Estimate, arguments: argparse.Namespace) -> str:
    if arguments.cameras is not None:
        shared = price.most_usd_per_hour / arguments.cameras
        return f"at most {shared:.4f} USD an hour and camera, shared by {arguments.cameras}"
    demand = Demand(1, arguments.fps, arguments.reads_per_second)
    found = throughput(arguments)
    fit = carried(price.most_cores, demand, found)
    basis = "as given" if arguments.frames_per_core is not None else "as measured on this machine, not on those"
    core = f"a core doing {found.frames_hz:.0f} frames/s or {found.crops_hz:.0f} plates/s {basis}"
    if not fit:
        return f"all {price.most_cores} cores are too few for one camera of {demand.frames_hz:g} frames/s, {core}"
    return (
        f"{price.most_usd_per_hour / fit:.4f} USD an hour and camera with all machines, which serve {fit} cameras of "
        f"{demand.frames_hz:g} frames/s, {core}"
    )


def _show_instances(console: Console, running: Sequence[Instance]) -> None:
    table = Table(*(Column(name, no_wrap=True) for name in ("machine", "group", "kind", "state", "address", "since")))
    for one in running:
        kind = f"{one.machine} (spot)" if one.spot else one.machine
        table.add_row(one.name, one.group, kind, one.state, one.private_address, f"{one.started:%m-%d %H:%MZ}")
    console.print(table)


def _plain(one: Instance) -> dict[str, object]:
    return {
        "name": one.name,
        "group": one.group,
        "machine": one.machine,
        "state": one.state,
        "private_address": one.private_address,
        "started": one.started.isoformat(),
        "spot": one.spot,
    }


def _write(file: Path, text: str) -> None:
    """The file names secrets' places, so that others need not read it."""
    try:
        with open(file, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
            stream.write(text)
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from error
