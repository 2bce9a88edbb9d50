"""The command line of the local cluster."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.errors import ClusterError
from tools.cluster.errors import LocalClusterError
from tools.cluster.local import LocalCluster, down, load, up
from tools.cluster.nodes import aws_config, is_running
from tools.cluster.s3 import serve_s3

_FOLDER = Path("/tmp/plates-cluster")  # noqa: S108 - Ray's sockets need a short path; the user may name another


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 when it failed, 2 for wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (LocalClusterError, ClusterError) as error:
        print(f"tools.cluster: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.cluster", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="its files; a short path (default %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start a cluster and say where it is")
    start.add_argument("--nodes", type=int, default=2, help="machines to pretend (default %(default)s)")
    start.add_argument("--cpus", type=int, default=2, help="cores that each claims to have (default %(default)s)")
    start.add_argument("--token", action="store_true", help="let its dashboard ask for a token")
    start.add_argument("--redis", action="store_true", help="keep its memory in Redis, so that the head may die")
    start.set_defaults(run=_up)
    commands.add_parser("down", help="end it and remove its files").set_defaults(run=_down)
    commands.add_parser("status", help="say what there is").set_defaults(run=_status)
    s3 = commands.add_parser("s3", help="run an S3 server for trying, until it is ended; it forgets everything then")
    s3.add_argument("--port", type=int, default=9000, help="port to listen on (default %(default)s)")
    s3.add_argument("--bucket", default="plate-models", help="bucket to make (default %(default)s)")
    s3.set_defaults(run=_s3)
    bench = commands.add_parser(
        "bench", help="measure a cluster of its own against `cloud-apis serve`, and two replicas against one"
    )
    bench.add_argument(
        "--rounds", type=int, default=3, help="times that each is measured in turn (default %(default)s)"
    )
    bench.add_argument("--seconds", type=float, default=8.0, help="length of each measurement (default %(default)s)")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    bench.set_defaults(run=_bench)
    return parser


def _up(arguments: argparse.Namespace) -> None:
    cluster = up(
        arguments.folder,
        nodes=arguments.nodes,
        cpus=arguments.cpus,
        token=arguments.token,
        redis=arguments.redis,
    )
    print(_told(cluster))


def _down(arguments: argparse.Namespace) -> None:
    cluster = load(arguments.folder)
    if cluster is None:
        print(f"there is no cluster in {arguments.folder}")
        return
    down(cluster)


def _status(arguments: argparse.Namespace) -> None:
    cluster = load(arguments.folder)
    if cluster is None:
        raise LocalClusterError(f"there is no cluster in {arguments.folder}: `python -m tools.cluster up`")
    print(_told(cluster))


def _s3(arguments: argparse.Namespace) -> None:
    cluster = load(arguments.folder)
    if cluster is None:
        serve_s3("127.0.0.1", arguments.port, arguments.bucket)
    else:
        serve_s3(cluster.host, arguments.port, arguments.bucket, aws_config(cluster.folder))


def _bench(arguments: argparse.Namespace) -> None:
    # Imported late: the other commands need neither OpenCV nor the models.
    from tools.cluster.bench import bench_cluster

    figures = bench_cluster(arguments.rounds, arguments.seconds)
    for told in (
        f"embedded server      {figures.embedded_hz:7.1f} requests/s, p50 {figures.embedded_p50_ms:.1f} ms",
        f"through Ray Serve    {figures.cluster_hz:7.1f} requests/s, p50 {figures.cluster_p50_ms:.1f} ms",
        f"  throughput ratio   {figures.throughput_ratio:7.2f} (two clients)",
        f"  p50 ratio          {figures.p50_ratio:7.2f} (one client)",
        f"one replica          {figures.one_replica_hz:7.1f} requests/s (four clients)",
        f"two replicas         {figures.two_replicas_hz:7.1f} requests/s",
        f"  scaling            {figures.scaling:7.2f}",
        f"one embedded server  {figures.one_server_hz:7.1f} requests/s (four clients)",
        f"two embedded servers {figures.two_servers_hz:7.1f} requests/s",
        f"  scaling without    {figures.scaling_without:7.2f} (what this machine's cores have to give)",
    ):
        print(told)
    if arguments.json:
        ratios = {
            name: getattr(figures, name) for name in ("throughput_ratio", "p50_ratio", "scaling", "scaling_without")
        }
        arguments.json.write_text(json.dumps({**asdict(figures), **ratios}, indent=2), encoding="utf-8")


def _told(cluster: LocalCluster) -> str:
    lines = [
        f"dashboard  {cluster.dashboard}",
        f"host       {cluster.host} (this machine, as the nodes see it)",
    ]
    if cluster.token_file:
        lines.append(f"token      {cluster.token_file}")
    if cluster.redis:
        lines.append(f"redis      {cluster.redis}")
    for node in cluster.nodes:
        name = "head" if node.number == 0 else "worker"
        state = "" if is_running(node.pid) else " (has ended)"
        lines.append(f"{name:<10} {node.address}, process {node.pid}{state}")
    return "\n".join(lines)
