"""Settings of a Ray cluster that is reached by its address."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cloud_apis.contract import is_loopback
from deploy.settings.section import HttpUrl, LocalPath, Port, Section


class ClusterAddress(Section):
    """Where a cluster's dashboard answers, and where its APIs listen."""

    address: HttpUrl = Field(default="http://127.0.0.1:8265", description="URL of the cluster's dashboard")
    http_port: Port = Field(default=8000, description="port that the APIs listen on")
    http_host: str = Field(default="127.0.0.1", description="address they listen on; others than loopback need a key")
    public_url: HttpUrl | None = Field(
        default=None,
        description="URL that devices reach the APIs by, such as a load balancer's; null: a machine's own address",
    )
    token_file: LocalPath | None = Field(default=None, description="file with the cluster's token, if it asks for one")

    @property
    def is_local(self) -> bool:
        """Whether the APIs can be reached from their own machines only."""
        return is_loopback(self.http_host)


class RayTarget(ClusterAddress):
    """A Ray cluster that runs already."""

    kind: Literal["ray"] = Field(description="ray: a running cluster")
