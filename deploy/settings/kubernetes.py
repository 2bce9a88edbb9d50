"""Settings of the manifests for a Kubernetes cluster with the KubeRay operator."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from deploy.settings.section import Port, Section

Label = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
LabelText = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")]


class PodSettings(Section):
    """What a pod takes."""

    cpus: Annotated[int, Field(ge=1, le=256)] = Field(default=2, description="processor cores")
    memory_gb: Annotated[int, Field(ge=1, le=4096)] = Field(default=4, description="memory")
    node_selector: dict[str, LabelText] = Field(default={}, description="labels of the nodes it may run on")


class GroupSettings(PodSettings):
    """Pods of one kind that run the APIs."""

    min: Annotated[int, Field(ge=0, le=1000)] = Field(default=1, description="pods that always run")
    max: Annotated[int, Field(ge=1, le=1000)] = Field(default=1, description="pods at most")
    gpus: Annotated[int, Field(ge=0, le=16)] = Field(default=0, description="GPUs (nvidia.com/gpu) of each")
    image: str | None = Field(default=None, min_length=1, description="another image, such as the one for GPUs")

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max {self.max}: min may not be more")
        return self


class SecretSettings(Section):
    """The Kubernetes Secret that you make; the manifests name it and never hold what is in it."""

    name: Label = Field(default="plates", description="its name")
    api_key: str = Field(default="api-key", min_length=1, description="its entry with the key that clients send")
    redis_password: str = Field(default="redis-password", min_length=1, description="its entry for Redis, if asked")


class IngressSettings(Section):
    """How clients come in from outside the cluster."""

    host: Host = Field(description="name that clients ask for")
    class_name: Label | None = Field(default=None, description="ingress class; null: the cluster's default")
    tls_secret: Label | None = Field(default=None, description="Secret with the certificate; null: no TLS here")
    from_namespace: Label | None = Field(
        default=None, description="namespace of the ingress controller, the only one let in; null: any of the cluster"
    )
    annotations: dict[str, str] = Field(default={}, description="annotations for the controller")


class KubernetesRedis(Section):
    """Where the head keeps the cluster's state, so that it survives a crash."""

    address: Annotated[str, StringConstraints(pattern=r"^(rediss?://)?[A-Za-z0-9.-]+:[0-9]{1,5}$")] = Field(
        description="HOST:PORT, with rediss:// before it for TLS"
    )
    password: bool = Field(default=False, description="whether it asks for the password of the Secret")


class KubernetesTarget(Section):
    """Manifests for a RayService; `cloud-deploy deploy --output DIR` writes them, `kubectl apply` applies them."""

    kind: Literal["kubernetes"] = Field(description="kubernetes: a rendered RayService")
    name: Label = Field(default="plates", description="name of everything that is made")
    namespace: Label = Field(default="plates", description="namespace to make it in")
    image: str = Field(min_length=1, description="image with the package and Ray; best by digest, NAME@sha256:…")
    image_pull_secrets: list[Label] = Field(default=[], description="Secrets for pulling it")
    service_account: Label | None = Field(
        default=None, description="account of the pods, with a role that reads the models; null: one is made"
    )
    service_account_annotations: dict[str, str] = Field(
        default={}, description="for the account that is made, such as eks.amazonaws.com/role-arn"
    )
    http_port: Port = Field(default=8000, description="port that the APIs listen on")
    operator_namespace: Label = Field(
        default="kuberay-system", description="namespace of the KubeRay operator, which tells the head what to serve"
    )
    prometheus_namespace: Label | None = Field(
        default=None, description="namespace of Prometheus, which is let in to Ray's figures; null: nobody is"
    )
    secret: SecretSettings = Field(default=SecretSettings(), description="where key and password are")
    head: PodSettings = Field(default=PodSettings(), description="the pod that runs the cluster itself, and no API")
    workers: dict[Label, GroupSettings] = Field(min_length=1, description="pods that run the APIs, by group")
    ingress: IngressSettings | None = Field(default=None, description="the way in from outside; null: none is made")
    redis: KubernetesRedis | None = Field(default=None, description="Redis; null: a crash of the head loses state")

    @field_validator("image")
    @classmethod
    def _is_pinned(cls, value: str) -> str:
        tag = value.rpartition("/")[2]
        if "@sha256:" not in value and (":" not in tag or tag.endswith(":latest")):
            raise ValueError("name a version of the image, NAME:TAG (not latest) or NAME@sha256:DIGEST")
        return value
