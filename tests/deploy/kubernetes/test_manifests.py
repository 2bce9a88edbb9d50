"""The manifests: by the schemas of Kubernetes and KubeRay, by Serve's own, and by what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloud_apis.names import Api
from deploy.errors import SettingsError
from deploy.kubernetes.manifests import Files, manifests, render, secret_command, write
from deploy.registry.reference import parse_reference
from deploy.settings import DeploySettings, KubernetesTarget
from tests.deploy.kubernetes.schemas import check, jsonschema

schema = pytest.importorskip("ray.serve.schema", reason="the ray extra is not installed")

MODELS = {
    Api.YOLOV3: [parse_reference(f"yolov3@sha256:{'a' * 64}")],
    Api.CRNN: [parse_reference(f"{name}@sha256:{'b' * 64}") for name in ("craft", "crnn")],
}
LEAST: dict[str, Any] = {
    "kind": "kubernetes",
    "image": "registry.example/plates:1.0",
    "workers": {"cpu": {"cpus": 4, "memory_gb": 8}},
}
MOST: dict[str, Any] = LEAST | {
    "name": "fleet",
    "namespace": "traffic",
    "http_port": 8123,
    "image_pull_secrets": ["pull"],
    "service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/models"},
    "head": {"cpus": 1, "memory_gb": 2, "node_selector": {"pool": "system"}},
    "workers": {
        "cpu": {"cpus": 4, "memory_gb": 8, "min": 2, "max": 6},
        "gpu": {"cpus": 4, "memory_gb": 16, "min": 0, "max": 2, "gpus": 1, "image": "registry.example/plates-gpu:1.0"},
    },
    "ingress": {"host": "plates.example.org", "class_name": "nginx", "tls_secret": "tls", "from_namespace": "nginx"},
    "redis": {"address": "rediss://redis.traffic.svc:6380", "password": True},
    "prometheus_namespace": "monitoring",
}
Make = Callable[..., DeploySettings]


def _settings(target: dict[str, Any], **other: Any) -> DeploySettings:
    stated = {
        "registry": {"url": "s3://bucket/plates", "endpoint_url": "http://minio.storage.svc:9000"},
        "api_key": "env:PLATES_KEY",
        "apis": {"yolov3": {}, "crnn": {"replicas": {"min": 1, "max": 4}}},
        "target": target,
    }
    return DeploySettings.model_validate(stated | other)


def _objects(files: Files) -> list[dict[str, Any]]:
    """As `kubectl apply` reads them: file by file, in the order of their names."""
    return [one for name in sorted(files) for one in yaml.safe_load_all(render(files[name]))]


def _service(files: Files) -> dict[str, Any]:
    (service,) = [one for one in _objects(files) if one["kind"] == "RayService"]
    return service


@pytest.mark.parametrize("target", [LEAST, MOST], ids=["least", "most"])
def test_every_object_is_valid(target: dict[str, Any]) -> None:
    objects = _objects(manifests(_settings(target), MODELS))
    for one in objects:
        check(one)
    kinds = [one["kind"] for one in objects]
    assert kinds[0] == "Namespace"
    assert kinds.count("RayService") == 1
    assert kinds.count("NetworkPolicy") == (4 if target is MOST else 2)
    assert ("Ingress" in kinds) is ("PodDisruptionBudget" in kinds) is (target is MOST)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda service: service["spec"].update(colour="red"),
        lambda service: service["spec"]["rayClusterConfig"].update(workers=1),
        lambda service: service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"].update(colour="red"),
        lambda service: service["spec"]["rayClusterConfig"]["workerGroupSpecs"][0].update(minReplicas="1"),
        lambda service: service["spec"]["rayClusterConfig"]["autoscalerOptions"]["securityContext"].update(run="x"),
        lambda service: service["spec"]["rayClusterConfig"]["gcsFaultToleranceOptions"]["redisPassword"].update(
            valueFrom={"secret": "x"}
        ),
    ],
)
def test_the_check_finds_what_is_wrong(spoil: Callable[[dict[str, Any]], None]) -> None:
    service = _service(manifests(_settings(MOST), MODELS))
    check(service)
    spoil(service)
    with pytest.raises(jsonschema.ValidationError):
        check(service)


def test_serve_accepts_its_part() -> None:
    service = _service(manifests(_settings(MOST), MODELS))
    described = schema.ServeDeploySchema.model_validate(yaml.safe_load(service["spec"]["serveConfigV2"]))
    assert [one.name for one in described.applications] == ["yolov3", "crnn"]
    assert described.http_options.port == 8123
    for one in described.applications:
        assert one.args["key"] == "env:PLATES_KEY"
        assert set(one.runtime_env) == {"env_vars"}  # the code is in the image


def test_pods_have_no_rights_and_no_secrets_but_by_reference() -> None:
    cluster = _service(manifests(_settings(MOST), MODELS))["spec"]["rayClusterConfig"]
    templates = [cluster["headGroupSpec"]["template"], *(group["template"] for group in cluster["workerGroupSpecs"])]
    for template in templates:
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        (container,) = template["spec"]["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"] == container["resources"]["requests"]
        assert {"livenessProbe", "readinessProbe"} <= set(container)
    assert "env" not in templates[0]["spec"]["containers"][0]  # the head needs no key
    for template in templates[1:]:
        (variable,) = template["spec"]["containers"][0]["env"]
        assert variable == {
            "name": "PLATES_KEY", "valueFrom": {"secretKeyRef": {"name": "plates", "key": "api-key"}}
        }  # fmt: skip
        assert template["spec"]["automountServiceAccountToken"] is False
    assert cluster["authOptions"] == {"mode": "token"}
    assert not [one for one in _objects(manifests(_settings(MOST), MODELS)) if one["kind"] == "Secret"]


def test_gpus_are_asked_for_where_the_group_has_them() -> None:
    groups = _service(manifests(_settings(MOST), MODELS))["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    containers = {group["groupName"]: group["template"]["spec"]["containers"][0] for group in groups}
    assert containers["gpu"]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert containers["gpu"]["image"] == "registry.example/plates-gpu:1.0"
    assert "nvidia.com/gpu" not in containers["cpu"]["resources"]["limits"]
    assert containers["cpu"]["image"] == "registry.example/plates:1.0"


def test_the_cluster_grows_only_where_the_settings_let_it() -> None:
    assert "enableInTreeAutoscaling" not in _service(manifests(_settings(LEAST), MODELS))["spec"]["rayClusterConfig"]
    cluster = _service(manifests(_settings(MOST), MODELS))["spec"]["rayClusterConfig"]
    assert cluster["enableInTreeAutoscaling"] is True
    assert [(group["minReplicas"], group["maxReplicas"]) for group in cluster["workerGroupSpecs"]] == [(2, 6), (0, 2)]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["gcsFaultToleranceOptions"]["redisAddress"] == "rediss://redis.traffic.svc:6380"


def _reaches(policies: list[dict[str, Any]], pod: dict[str, str], port: int, namespace: str, *, ours: bool) -> bool:
    """What the policies say of a connection to a pod, by the rules of Kubernetes: what none allows is refused."""
    for policy in policies:
        if not policy["spec"]["podSelector"]["matchLabels"].items() <= pod.items():
            continue
        for rule in policy["spec"].get("ingress", ()):
            if "ports" in rule and port not in {one["port"] for one in rule["ports"]}:
                continue
            for peer in rule["from"]:
                if "podSelector" in peer and ours:
                    return True
                wanted = peer.get("namespaceSelector", {}).get("matchLabels", {})
                if "namespaceSelector" in peer and wanted.get("kubernetes.io/metadata.name", namespace) == namespace:
                    return True
    return False


@pytest.mark.parametrize(
    ("part", "port", "namespace", "ours", "reached"),
    [
        ("worker", 8123, "nginx", False, True),
        ("worker", 8123, "elsewhere", False, False),
        ("worker", 8265, "nginx", False, False),
        ("head", 8265, "nginx", False, False),
        ("head", 6379, "nginx", False, False),
        ("head", 8265, "kuberay-system", False, True),
        ("head", 6379, "kuberay-system", False, False),
        ("worker", 10002, "kuberay-system", False, False),
        ("head", 6379, "traffic", True, True),
        ("worker", 10002, "traffic", True, True),
        ("head", 6379, "traffic", False, False),
        ("worker", 8080, "monitoring", False, True),
        ("head", 8080, "monitoring", False, True),
        ("head", 44217, "monitoring", False, True),
        ("head", 44227, "monitoring", False, True),
        ("worker", 44227, "monitoring", False, False),
        ("worker", 8080, "elsewhere", False, False),
        ("head", 8265, "monitoring", False, False),
        ("worker", 8123, "monitoring", False, False),
    ],
)
def test_only_the_apis_port_is_open(part: str, port: int, namespace: str, ours: bool, reached: bool) -> None:
    objects = _objects(manifests(_settings(MOST), MODELS))
    policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
    cluster = _service(manifests(_settings(MOST), MODELS))["spec"]["rayClusterConfig"]
    template = cluster["headGroupSpec" if part == "head" else "workerGroupSpecs"]
    pod = (template if part == "head" else template[0])["template"]["metadata"]["labels"]
    assert _reaches(policies, pod, port, namespace, ours=ours) is reached


def test_pods_export_their_figures_where_prometheus_is_let_in() -> None:
    cluster = _service(manifests(_settings(LEAST), MODELS))["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert group["rayStartParams"]["metrics-export-port"] == "8080"
        (container,) = group["template"]["spec"]["containers"]
        assert {"name": "metrics", "containerPort": 8080} in container["ports"]


def test_what_pods_may_reach() -> None:
    whole = next(
        one for one in _objects(manifests(_settings(MOST), MODELS))
        if one["kind"] == "NetworkPolicy" and "Egress" in one["spec"]["policyTypes"]
    )  # fmt: skip
    ports = {port["port"] for rule in whole["spec"]["egress"] for port in rule.get("ports", ())}
    assert ports == {53, 443, 6443, 6380, 9000}  # names, S3, Kubernetes, Redis, the registry's own server


def test_the_way_in_has_the_apis_paths_only_and_its_certificate() -> None:
    (way,) = [one for one in _objects(manifests(_settings(MOST), MODELS)) if one["kind"] == "Ingress"]
    paths = way["spec"]["rules"][0]["http"]["paths"]
    assert [path["path"] for path in paths] == ["/crnn", "/yolov3"]
    assert {path["backend"]["service"]["name"] for path in paths} == {"fleet-serve-svc"}
    assert way["spec"]["tls"] == [{"hosts": ["plates.example.org"], "secretName": "tls"}]


def test_files_are_written_anew_and_nothing_else_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    write(manifests(_settings(MOST), MODELS), folder)
    assert sorted(file.name for file in folder.iterdir()) == [
        "00-namespace.yaml", "10-account.yaml", "10-configuration.yaml", "20-network.yaml", "30-disruption.yaml",
        "30-rayservice.yaml", "40-ingress.yaml",
    ]  # fmt: skip
    write(manifests(_settings(LEAST), MODELS), folder)
    assert not (folder / "40-ingress.yaml").exists()
    (folder / "own.yaml").write_text("kind: Other\n")
    with pytest.raises(SettingsError, match=r"own.yaml is not of this command"):
        write(manifests(_settings(MOST), MODELS), folder)
    assert not (folder / "40-ingress.yaml").exists()


def test_the_same_settings_give_the_same_files() -> None:
    first, second = (manifests(_settings(MOST), MODELS) for _ in range(2))
    assert {name: render(one) for name, one in first.items()} == {name: render(one) for name, one in second.items()}


def test_the_secret_is_made_from_files() -> None:
    target = _settings(MOST).target
    assert isinstance(target, KubernetesTarget)
    assert secret_command(target) == (
        "kubectl --namespace traffic create secret generic plates --from-file api-key=FILE "
        "--from-file redis-password=FILE"
    )


def test_another_target_is_refused() -> None:
    settings = _settings(LEAST).model_copy(update={"target": DeploySettings.model_fields["target"].default})
    with pytest.raises(SettingsError, match=r"target.kind is ray"):
        manifests(settings, MODELS)
