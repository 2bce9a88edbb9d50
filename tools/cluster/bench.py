"""What serving through a cluster costs, and what a second replica brings: closed loops against the real detector.

The same picture is asked for over and over, as fast as answers come, of `cloud-apis serve` on this machine and of the
cluster on this machine, in turn, so that whatever else the machine does hits both. One thread per inference, one
request at a time per server or replica. What a second replica brings is compared with what a second embedded server
brings: more than the machine's cores have to give, as two threads of one core, no cluster can make of them.

The cluster is one node, as a machine is one: Ray's own processes of a second, pretended node would take the cores of
this one.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import yaml

from cloud_apis.contract import YOLOV3_PATH
from cloud_apis.settings import default_config
from tools.bench.device import running_apis
from tools.cluster.errors import LocalClusterError
from tools.cluster.load import Load, Place, closed_loop
from tools.cluster.trial import KEY, TrialCluster, trial_cluster

API: Final = "yolov3"
_WIDTH, _HEIGHT = 1280, 720


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds; ratios are those of medians of the same run."""

    embedded_hz: float
    cluster_hz: float
    embedded_p50_ms: float
    cluster_p50_ms: float
    one_replica_hz: float
    two_replicas_hz: float
    one_server_hz: float
    two_servers_hz: float

    @property
    def throughput_ratio(self) -> float:
        """The cluster's throughput over the embedded server's, two clients each."""
        return self.cluster_hz / self.embedded_hz

    @property
    def p50_ratio(self) -> float:
        """The cluster's median latency over the embedded server's, one client each."""
        return self.cluster_p50_ms / self.embedded_p50_ms

    @property
    def scaling(self) -> float:
        """Throughput of two replicas over that of one, four clients each."""
        return self.two_replicas_hz / self.one_replica_hz

    @property
    def scaling_without(self) -> float:
        """Throughput of two embedded servers over that of one, four clients each: what this machine has to give."""
        return self.two_servers_hz / self.one_server_hz


def bench_cluster(rounds: int, seconds: float) -> Figures:
    """Bring a cluster up and measure; takes some minutes. Raises `LocalClusterError`."""
    picture = sample_picture()
    with tempfile.TemporaryDirectory() as folder, trial_cluster(nodes=1) as cluster:
        cluster.apply(_replicas(1))
        served = Place((f"{cluster.url}/{API}",), KEY)
        with embedded(Path(folder)) as url, embedded(Path(folder)) as other:
            pair = [Place((url,)), served]
            busy = _in_turn(pair, picture, rounds, seconds, clients=2)
            alone = _in_turn(pair, picture, rounds, seconds, clients=1)
            servers = _in_turn([Place((url,)), Place((url, other))], picture, rounds, seconds, clients=4)
        one, two = [], []
        for _ in range(rounds):  # in turn as well, since the machine is not always as fast
            one.append(_with_replicas(cluster, 1, served, picture, seconds))
            two.append(_with_replicas(cluster, 2, served, picture, seconds))
    return Figures(
        embedded_hz=_median(load.rate_hz for load in busy[0]),
        cluster_hz=_median(load.rate_hz for load in busy[1]),
        embedded_p50_ms=_median(load.p50_ms for load in alone[0]),
        cluster_p50_ms=_median(load.p50_ms for load in alone[1]),
        one_replica_hz=_median(load.rate_hz for load in one),
        two_replicas_hz=_median(load.rate_hz for load in two),
        one_server_hz=_median(load.rate_hz for load in servers[0]),
        two_servers_hz=_median(load.rate_hz for load in servers[1]),
    )


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[str]:
    """`cloud-apis serve` as the dashcam starts it, with one worker of one thread; gives the detector's URL."""
    settings = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    settings["yolov3"] |= {"workers": 1, "threads": 1, "batch": 1}
    file = folder / "apis.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with running_apis(file) as apis:
        yield f"http://127.0.0.1:{apis.port}{YOLOV3_PATH}"


def sample_picture() -> bytes:
    """A JPEG of a camera's size, with as much detail as a street has: some 100 kB."""
    noise = np.random.default_rng(1).integers(0, 256, (_HEIGHT // 8, _WIDTH // 8), np.uint8)
    picture = cv2.resize(noise, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise LocalClusterError("the sample picture cannot be encoded")
    return data.tobytes()


def _in_turn(places: Sequence[Place], picture: bytes, rounds: int, seconds: float, *, clients: int) -> list[list[Load]]:
    """The loads of each place, one after the other in each round, after a short one that does not count."""
    found: list[list[Load]] = [[] for _ in places]
    for place in places:
        closed_loop(place, picture, clients=clients, seconds=1.0)
    for _ in range(rounds):
        for index, place in enumerate(places):
            found[index].append(closed_loop(place, picture, clients=clients, seconds=seconds))
    return found


def _with_replicas(cluster: TrialCluster, count: int, served: Place, picture: bytes, seconds: float) -> Load:
    cluster.apply(_replicas(count))
    cluster.wait_for(API, lambda app: len(app.running) == count)
    return _in_turn([served], picture, 1, seconds, clients=4)[0][0]


def _replicas(count: int) -> dict[str, Any]:
    return {API: {"replicas": {"min": count, "max": count}, "workers": 1, "threads": 1, "queue": 16}}


def _median(values: Iterator[float]) -> float:
    return float(np.median(list(values)))
