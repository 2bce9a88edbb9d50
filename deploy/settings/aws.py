"""Settings of a cluster on AWS, which Ray's own launcher brings up (`cloud-deploy cluster up`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from deploy.settings.cluster import ClusterAddress
from deploy.settings.section import LocalPath, PlainUrl, Port, Section

CPU_IMAGE = "resolve:ssm:/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
GPU_IMAGE = "resolve:ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
STACK_PORT: Final = 8000
"""The port in deploy/aws/stack.yaml that machines take requests on."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Subnet = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroup = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]{8,17}$")]
Profile = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/[A-Za-z0-9_+=,.@/-]+$")
]
TargetGroup = Annotated[
    str,
    StringConstraints(
        pattern=r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[A-Za-z0-9_/-]+$"
    ),
]
Image = Annotated[str, StringConstraints(pattern=r"^(ami-[0-9a-f]{8,17}|resolve:ssm:[A-Za-z0-9_./:-]+)$")]
MachineName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]


class MachineSettings(Section):
    """One kind of machine."""

    machine: MachineName = Field(description="kind of machine, one of config/machines.yaml")
    image: Image | None = Field(
        default=None,
        description="disk image, ami-… or resolve:ssm:PARAMETER; null: Ubuntu 24.04, with NVIDIA's driver on machines "
        "with a GPU",
    )
    disk_gb: Annotated[int, Field(ge=20, le=4096)] = Field(default=60, description="size of its encrypted disk")


class HeadSettings(MachineSettings):
    """The machine that runs the cluster's own processes, and no API."""

    machine: MachineName = Field(default="c7i.large", description="kind of machine, one of config/machines.yaml")


class WorkerSettings(MachineSettings):
    """Machines of one kind that run the APIs."""

    min: Annotated[int, Field(ge=0, le=1000)] = Field(default=1, description="machines that always run")
    max: Annotated[int, Field(ge=1, le=1000)] = Field(default=1, description="machines at most")
    spot: bool = Field(default=False, description="spare machines: cheaper, and AWS may take them away at any time")

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max {self.max}: min may not be more")
        return self


class SshSettings(Section):
    """How the launcher reaches the machines. No port is opened to the world for it."""

    user: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]*$")] = Field(
        default="ubuntu", description="the image's user"
    )
    key_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_ .@-]{1,64}$")] = Field(
        description="name of the EC2 key pair"
    )
    private_key: LocalPath = Field(description="file with its private key, here")
    through: Literal["ssm", "network"] = Field(
        default="ssm",
        description="ssm: AWS's Session Manager (needs the AWS CLI and its session-manager-plugin here); network: "
        "straight to the private addresses, from a VPN or a machine in the same network",
    )


class RedisSettings(Section):
    """Where the head keeps the cluster's state, so that it survives a crash."""

    address: Annotated[str, StringConstraints(pattern=r"^(rediss?://)?[A-Za-z0-9.-]+:[0-9]{1,5}$")] = Field(
        description="HOST:PORT, with rediss:// before it for TLS"
    )
    password_file: LocalPath | None = Field(default=None, description="file with its password, here; null: none")


class PackageSettings(Section):
    """What the machines install."""

    requirement: Annotated[str, StringConstraints(pattern=r"^(plate-dashcam *==[A-Za-z0-9.+!-]+|.*\.whl)$")] = Field(
        description="the package: plate-dashcam==VERSION, or a wheel's file here, which is copied there"
    )
    constraints: LocalPath | None = Field(
        default=None, description="constraints.txt, here, that pins what it needs; null: as pip finds it"
    )
    index_url: PlainUrl | None = Field(
        default=None, description="package index of your own, without password; null: as the image has it"
    )

    @property
    def wheel(self) -> Path | None:
        """The wheel's file here, None if the package comes from an index."""
        return Path(self.requirement).expanduser().absolute() if self.requirement.endswith(".whl") else None


class AwsTarget(ClusterAddress):
    """A cluster on AWS. `address` is where its dashboard is reached through a tunnel (see docs/cloud.md)."""

    kind: Literal["aws"] = Field(description="aws: machines that Ray's launcher starts")
    cluster_name: Name = Field(default="plates", description="name of the cluster; machines carry it as a tag")
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = Field(
        description="AWS region of the machines"
    )
    http_host: str = Field(  # the security group lets only the load balancer in
        default="0.0.0.0",  # noqa: S104
        description="address the APIs listen on; the security group is closed",
    )
    http_port: Port = Field(default=STACK_PORT, description="port that the load balancer forwards to; the stack's 8000")
    token_file: LocalPath = Field(description="file with the cluster's token, made by `cluster up` if there is none")
    subnets: list[Subnet] = Field(min_length=1, description="private subnets for the machines, with a way out by NAT")
    security_group: SecurityGroup = Field(description="the stack's output SecurityGroup")
    head_instance_profile: Profile = Field(description="the stack's output HeadInstanceProfile")
    worker_instance_profile: Profile = Field(description="the stack's output WorkerInstanceProfile")
    target_group: TargetGroup | None = Field(
        default=None, description="the stack's output TargetGroup; machines sign on there. null: no load balancer"
    )
    ssh: SshSettings = Field(description="how the launcher reaches the machines")
    head: HeadSettings = Field(default=HeadSettings(), description="the machine that runs the cluster itself")
    workers: dict[Name, WorkerSettings] = Field(min_length=1, description="machines that run the APIs, by group")
    idle_minutes: Annotated[float, Field(ge=1, le=1440)] = Field(
        default=10.0, description="how long a machine beyond the least is kept with nothing to do"
    )
    redis: RedisSettings | None = Field(default=None, description="Redis; null: a crash of the head loses the cluster")
    package: PackageSettings = Field(description="what the machines install")

    @field_validator("http_port")
    @classmethod
    def _is_the_stacks(cls, port: int) -> int:
        if port != STACK_PORT:
            raise ValueError(
                f"the stack's load balancer and security group are for port {STACK_PORT} alone: write that"
            )
        return port

    @field_validator("workers")
    @classmethod
    def _not_named_head(cls, workers: dict[str, WorkerSettings]) -> dict[str, WorkerSettings]:
        if "head" in workers:
            raise ValueError("a group cannot be called head")
        return workers
