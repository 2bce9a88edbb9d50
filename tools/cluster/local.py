"""The whole local cluster: brought up, remembered in a file, taken down, nodes killed and started again."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.cluster_api.client import ClusterApi
from deploy.errors import ClusterError
from tools.cluster.errors import LocalClusterError
from tools.cluster.network import Network, is_possible, new_network
from tools.cluster.nodes import (
    DASHBOARD_PORT,
    GCS_PORT,
    NodePlan,
    aws_config,
    end_node,
    is_running,
    node_environment,
    start_node,
)
from tools.cluster.ports import free_ports
from tools.cluster.redis import start_redis

_FILE, _TOKEN, _REDIS = "cluster.json", "token", "redis"
_OWN_FOLDER = re.compile(rf"{_REDIS}|n[0-9]+")
_START_S = 240.0
_POLL_S = 0.25
_LONGEST_FOLDER = 22


@dataclass(frozen=True, slots=True)
class LocalNode:
    """A node that was started: its number (0 is the head), address and process."""

    number: int
    address: str
    pid: int


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A cluster that was brought up. ``host`` is this machine's address as the nodes see it."""

    folder: Path
    slot: int | None
    host: str
    dashboard: str
    gcs_port: int
    cpus: int
    nodes: tuple[LocalNode, ...]
    token_file: Path | None = None
    redis: str | None = None
    redis_pid: int | None = None

    @property
    def network(self) -> Network | None:
        """Its network; None on loopback."""
        return None if self.slot is None else Network(self.slot)

    @property
    def head(self) -> str:
        """The head's address."""
        return self.nodes[0].address

    def token(self) -> str | None:
        """The token that the cluster wants, if it wants one."""
        return None if self.token_file is None else self.token_file.read_text(encoding="ascii").strip()

    def api(self) -> ClusterApi:
        """A client of its dashboard."""
        return ClusterApi(self.dashboard, token=self.token())


def up(folder: Path, *, nodes: int = 2, cpus: int = 2, token: bool = False, redis: bool = False) -> LocalCluster:
    """Start a cluster whose files are in ``folder`` (a short path: sockets lie in it); returns once all nodes joined.

    With ``redis`` the head survives its own death. Raises `LocalClusterError`; nothing is left running then.
    """
    if (folder / _FILE).exists():
        raise LocalClusterError(f"there is a cluster in {folder}: `python -m tools.cluster down` first")
    if len(str(folder.absolute())) > _LONGEST_FOLDER:
        raise LocalClusterError(f"{folder} is too long for the sockets in it: {_LONGEST_FOLDER} characters at most")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise LocalClusterError(f"{folder} is there and no cluster's: name an empty folder, or one that is not there")
    folder.mkdir(parents=True, exist_ok=True)
    network = new_network() if is_possible() else None
    nodes = nodes if network else 1
    gcs_port, dashboard_port = (GCS_PORT, DASHBOARD_PORT) if network else free_ports(2)
    head = network.address(0) if network else "127.0.0.1"
    cluster = LocalCluster(
        folder=folder,
        slot=network.slot if network else None,
        host=network.host if network else "127.0.0.1",
        dashboard=f"http://{head}:{dashboard_port}",
        gcs_port=gcs_port,
        cpus=cpus,
        nodes=(),
        token_file=_new_token(folder) if token else None,
    )
    try:
        if redis:
            address, pid = start_redis(folder / _REDIS, cluster.host)
            cluster = replace(cluster, redis=address, redis_pid=pid)
        for number in range(nodes):
            cluster = join(cluster, number, nodes=number + 1)
    except BaseException:
        down(load(folder) or cluster)
        raise
    return cluster


def down(cluster: LocalCluster) -> None:
    """End everything that belongs to the cluster, and remove its files; others in its folder are left there."""
    for node in reversed(cluster.nodes):
        end_node(node.pid)
        if cluster.network:
            cluster.network.remove_node(node.number)
    if cluster.redis_pid is not None:
        end_node(cluster.redis_pid)
    if cluster.network:
        cluster.network.remove()
    _remove_files(cluster.folder)


def start(cluster: LocalCluster, number: int) -> LocalCluster:
    """Start a node, for the first time or again after `kill`."""
    network = cluster.network
    known = next((node for node in cluster.nodes if node.number == number), None)
    address = network.address(number) if network else "127.0.0.1"
    if network and known is None:
        network.add_node(number)
    plan = NodePlan(
        number=number,
        address=address,
        head=cluster.nodes[0].address if cluster.nodes else address,
        folder=cluster.folder / f"n{number}",
        cpus=cluster.cpus,
        gcs_port=cluster.gcs_port,
        dashboard_port=int(cluster.dashboard.rpartition(":")[2]),
    )
    environment = node_environment(plan, os.environ, cluster.token_file, cluster.redis)
    started = LocalNode(number, address, start_node(plan, network, environment))
    others = tuple(node for node in cluster.nodes if node.number != number)
    cluster = replace(cluster, nodes=tuple(sorted((*others, started), key=lambda node: node.number)))
    _remember(cluster)
    return cluster


def join(cluster: LocalCluster, number: int, *, nodes: int) -> LocalCluster:
    """Start a node and wait until so many are there; Ray's own deadlines fail now and then on a busy machine."""
    for last in (False, False, True):
        cluster = start(cluster, number)
        try:
            _wait_for_nodes(cluster, nodes)
        except LocalClusterError:
            if last:
                raise
            kill(cluster, number)
        else:
            break
    return cluster


def kill(cluster: LocalCluster, number: int) -> None:
    """End a node as a machine ends that loses power."""
    end_node(cluster.nodes[number].pid)


def load(folder: Path) -> LocalCluster | None:
    """The cluster of a folder, None if there is none. Raises `LocalClusterError` for a file that describes none."""
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LocalClusterError(f"{folder / _FILE} cannot be read: {error}") from error
    try:
        content["folder"] = folder
        content["token_file"] = Path(content["token_file"]) if content["token_file"] else None
        content["nodes"] = tuple(LocalNode(**node) for node in content["nodes"])
        return LocalCluster(**content)
    except (KeyError, TypeError) as error:
        raise LocalClusterError(f"{folder / _FILE} describes no cluster: name another folder") from error


def _wait_for_nodes(cluster: LocalCluster, count: int) -> None:
    """Ask again and again; raises `LocalClusterError` when it takes too long or a node has ended meanwhile."""
    deadline = time.monotonic() + _START_S
    while _alive(cluster) < count:
        ended = [node for node in cluster.nodes if not is_running(node.pid)]
        if ended or time.monotonic() > deadline:
            node = ended[0] if ended else cluster.nodes[-1]
            log = cluster.folder / f"n{node.number}" / "ray.log"
            said = " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-400:]
            what = "has ended" if ended else "does not join"
            raise LocalClusterError(f"node {node.number} {what}; the end of {log}: …{said}")
        time.sleep(_POLL_S)


def _alive(cluster: LocalCluster) -> int:
    try:
        return sum(node.alive for node in cluster.api().nodes())
    except ClusterError:
        return 0


def _remove_files(folder: Path) -> None:
    """Remove what a cluster writes, and the folder if nothing else is in it."""
    for file in (folder / _TOKEN, aws_config(folder), folder / _FILE):
        file.unlink(missing_ok=True)
    for part in folder.glob("*"):
        if part.is_dir() and not part.is_symlink() and _OWN_FOLDER.fullmatch(part.name):
            shutil.rmtree(part, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()


def _new_token(folder: Path) -> Path:
    file = folder / _TOKEN
    file.touch(mode=0o600)
    file.write_text(secrets.token_hex(32), encoding="ascii")
    return file


def _remember(cluster: LocalCluster) -> None:
    content = asdict(cluster)
    content["folder"] = str(cluster.folder)
    content["token_file"] = str(cluster.token_file) if cluster.token_file else None
    (cluster.folder / _FILE).write_text(json.dumps(content, indent=2), encoding="utf-8")
