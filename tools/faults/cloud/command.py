"""The faults of a cluster, one after the other, on a cluster of this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from tools.cluster.trial import TrialCluster, trial_cluster
from tools.faults.cloud import serving
from tools.faults.cloud.overload import overload
from tools.faults.cloud.storage import storage_faults
from tools.faults.row import Row

_SCENARIOS = {
    "overload": overload,
    "update": serving.update,
    "hash": serving.wrong_hash,
    "room": serving.no_room,
    "replica": serving.replica_killed,
    "head": serving.head_lost,
    "worker": serving.worker_lost,  # after it Serve leaves both replicas on one node
}
_S3 = "s3"
FAULTS: Final = (*_SCENARIOS, _S3)


def cloud_rows(chosen: Sequence[str]) -> Iterator[Row]:
    """The rows of these faults, on a cluster that is started for them; raises LocalClusterError or ClusterError."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with trial_cluster() as cluster:
        for name in (name for name in FAULTS if name in chosen):
            yield from _rows_of(cluster, name)


def _rows_of(cluster: TrialCluster, name: str) -> Iterator[Row]:
    if name == _S3:
        yield from storage_faults(cluster)
    else:
        yield _SCENARIOS[name](cluster)
