"""Networks of a cluster's own: a bridge on this machine, and a network namespace per node with an address on it.

Addresses are 10.213.SLOT.x, x being 1 for this machine and 2, 3, … for the nodes. Nothing beyond this machine can be
reached from within, nor from outside.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.cluster.errors import LocalClusterError

_SLOTS = range(1, 250)


@dataclass(frozen=True, slots=True)
class Network:
    """The network of the cluster in a slot; names of Linux' devices have at most 15 characters."""

    slot: int

    @property
    def bridge(self) -> str:
        """The bridge on this machine."""
        return f"plates{self.slot}"

    @property
    def host(self) -> str:
        """This machine's address, under which the nodes reach it."""
        return f"10.213.{self.slot}.1"

    def address(self, node: int) -> str:
        """A node's address; the first node is 0."""
        return f"10.213.{self.slot}.{node + 2}"

    def namespace(self, node: int) -> str:
        """The name of a node's network namespace."""
        return f"plates{self.slot}-{node}"

    def add_node(self, node: int) -> None:
        """Give a node its namespace and address."""
        name, here, there = self.namespace(node), f"{self.bridge}-{node}", "eth0"
        self.remove_node(node)  # of a cluster that was never taken down
        _ip("netns", "add", name)
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("link", "set", here, "master", self.bridge, "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"{self.address(node)}/24", "dev", there),
            ("link", "set", there, "up"),
        ):
            _ip("-netns", name, *command)

    def remove_node(self, node: int) -> None:
        """Take a node's namespace away; one that is not there is no error."""
        # The device outlives its namespace for a moment.
        for command in (("link", "delete", f"{self.bridge}-{node}"), ("netns", "delete", self.namespace(node))):
            with contextlib.suppress(LocalClusterError):
                _ip(*command)

    def remove(self) -> None:
        """Take the bridge away."""
        with contextlib.suppress(LocalClusterError):
            _ip("link", "delete", self.bridge)


def is_possible() -> bool:
    """Whether this process may make network namespaces."""
    return os.geteuid() == 0 and all(shutil.which(tool) for tool in ("ip", "unshare")) and _may_add()


def new_network() -> Network:
    """A network in the first slot that is free; raises `LocalClusterError`."""
    for slot in _SLOTS:
        network = Network(slot)
        try:
            _ip("link", "add", network.bridge, "type", "bridge")
        except LocalClusterError:
            continue
        _ip("addr", "add", f"{network.host}/24", "dev", network.bridge)
        _ip("link", "set", network.bridge, "up")
        return network
    raise LocalClusterError("there is no room for another network: take clusters down first")


def entered(namespace: str, command: Sequence[str]) -> list[str]:
    """The command, run in a network namespace and in a process namespace of its own that ends with it."""
    own_processes = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
    return ["ip", "netns", "exec", namespace, *own_processes, *command]


def _may_add() -> bool:
    name = f"plates-try-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except LocalClusterError:
        return False
    return True


def _ip(*arguments: str) -> None:
    program = shutil.which("ip") or "ip"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalClusterError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def addresses(network: Network | None, nodes: int) -> Iterator[str]:
    """The nodes' addresses; on loopback there is one node only."""
    if network is None:
        yield "127.0.0.1"
        return
    for node in range(nodes):
        yield network.address(node)
