"""The environment that every node of a cluster needs before `ray start`: Serve reads it once, in each of its processes.

Whoever brings a cluster up (the local one of tools.cluster, AWS, Kubernetes) takes it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

NODE_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        # HAProxy on every node that has replicas, which hands requests to the replicas' own ports.
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        # Our routes never block the event loop, so that a second thread with a loop of its own only costs time.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        # A request whose replica dies without an answer goes to another one: predictions may be asked for twice.
        # HAProxy can only send again what its buffer holds, so that must be as large as a camera's picture.
        "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
        "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": str(512 * 1024),
        # When HAProxy is told new replicas, clients' idle connections to its former process end within this time
        # (seconds), rather than after two minutes with a request for replicas that have gone.
        "RAY_SERVE_HAPROXY_CLOSE_SPREAD_TIME_S": "10",
        # So long a replica that is to go still takes requests, while every HAProxy is told (seconds).
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "15",
        # Ten looks a second at what should run take 5 % of a core, two take 2 %.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
        # Everything is in the log files of Serve already, where `cloud-deploy logs` finds it.
        "RAY_SERVE_LOG_TO_STDERR": "0",
        # Ray gives its workers the lowest priority of a machine; ours are what the machine is there for.
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
)
