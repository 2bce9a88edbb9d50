from __future__ import annotations

import pytest

from deploy.aws.cost import estimate
from deploy.planning.capacity import Demand, Throughput, carried
from deploy.planning.prices import PriceTable
from tests.deploy.aws.conftest import Change

PRICES = PriceTable.model_validate(
    {
        "region": "us-east-1",
        "noted": "2026-01-01",
        "disk_usd_per_gb_month": 0.073,
        "balancer_usd_per_hour": 0.02,
        "machines": {
            "c7i.large": {"cores": 2, "memory_gb": 4, "usd_per_hour": 0.1},
            "c7i.2xlarge": {"cores": 8, "memory_gb": 16, "usd_per_hour": 0.4},
            "g6.xlarge": {"cores": 4, "memory_gb": 16, "gpu": "L4", "usd_per_hour": 0.8},
        },
    }
)
DISK = 60 * 0.073 / 730
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/plates/0123456789abcdef"


def test_a_cluster_costs_its_machines_disks_and_load_balancer(target: Change) -> None:
    price = estimate(target(target_group=GROUP), PRICES)
    assert price.least_usd_per_hour == pytest.approx(0.02 + (0.1 + DISK) + (0.4 + DISK))
    assert price.most_usd_per_hour == pytest.approx(0.02 + (0.1 + DISK) + 4 * (0.4 + DISK) + 2 * (0.8 + DISK))
    assert price.most_cores == 4 * 8 + 2 * 4
    assert [(line.group, line.gpus, line.spot) for line in price.lines] == [
        ("head", 0, False), ("cpu", 0, False), ("gpu", 1, True)
    ]  # fmt: skip
    assert estimate(target(), PRICES).least_usd_per_hour == pytest.approx(price.least_usd_per_hour - 0.02)


def test_cameras_that_cores_carry() -> None:
    # A camera takes 10/20 + 1/10 of a core's time, of which 0.7 are planned with: 0.857 cores.
    demand, throughput = Demand(1, 10.0, 1.0), Throughput(20.0, 10.0)
    assert [carried(cores, demand, throughput) for cores in (0, 1, 2, 6)] == [0, 1, 2, 7]
