"""Who may reach what: network policies that close all but the APIs' port, and the way in from outside."""

from __future__ import annotations

from urllib.parse import urlsplit

from cloud_apis.names import Api
from deploy.kubernetes.objects import HEAD, Manifest, metadata, of_namespace, selector
from deploy.kubernetes.pods import HEAD_METRICS_PORTS, METRICS_PORT
from deploy.settings import DeploySettings
from deploy.settings.kubernetes import IngressSettings, KubernetesTarget

_DNS, _HTTPS, _KUBERNETES = 53, 443, 6443
_DASHBOARD = 8265
_REDIS = 6379


def policies(settings: DeploySettings, target: KubernetesTarget) -> list[Manifest]:
    """Pods reach each other, the registry, Redis and name servers; the APIs' port is all that others reach."""
    among = {"podSelector": selector(target)}
    outward = {_HTTPS, _KUBERNETES, _port(settings.registry.endpoint_url, _HTTPS)}
    if target.redis is not None:
        outward.add(_port(f"//{target.redis.address.rpartition('//')[2]}", _REDIS))
    whole = _policy(target, target.name, selector(target))
    whole["spec"] |= {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [among]},
            {"from": [_clients(target)], "ports": [_tcp(target.http_port)]},
        ],
        "egress": [
            {"to": [among]},
            {"ports": [{"protocol": "UDP", "port": _DNS}, _tcp(_DNS)]},
            {"ports": [_tcp(port) for port in sorted(outward)]},
        ],
    }
    operator = _policy(target, f"{target.name}-operator", selector(target, HEAD))
    operator["spec"] |= {
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [of_namespace(target.operator_namespace)],
                "ports": [_tcp(_DASHBOARD), _tcp(target.http_port)],
            }
        ],
    }
    if target.prometheus_namespace is None:
        return [whole, operator]
    return [whole, operator, *_metrics(target, target.prometheus_namespace)]


def _metrics(target: KubernetesTarget, namespace: str) -> list[Manifest]:
    """Prometheus reaches what the nodes export, and of the head its own figures as well."""
    every = _policy(target, f"{target.name}-metrics", selector(target))
    head = _policy(target, f"{target.name}-head-metrics", selector(target, HEAD))
    for policy, ports in ((every, (METRICS_PORT,)), (head, HEAD_METRICS_PORTS)):
        policy["spec"] |= {
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [of_namespace(namespace)], "ports": [_tcp(port) for port in ports]}],
        }
    return [every, head]


def ingress(settings: DeploySettings, target: KubernetesTarget, wanted: IngressSettings) -> Manifest:
    """The way in: the APIs' own paths and no other, so that Serve's routes stay inside."""
    backend = {"service": {"name": f"{target.name}-serve-svc", "port": {"number": target.http_port}}}
    paths = [{"path": f"/{api.value}", "pathType": "Prefix", "backend": backend} for api in _in_order(settings)]
    spec: Manifest = {"rules": [{"host": wanted.host, "http": {"paths": paths}}]}
    if wanted.class_name is not None:
        spec["ingressClassName"] = wanted.class_name
    if wanted.tls_secret is not None:
        spec["tls"] = [{"hosts": [wanted.host], "secretName": wanted.tls_secret}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(target, target.name, wanted.annotations),
        "spec": spec,
    }


def _in_order(settings: DeploySettings) -> list[Api]:
    return sorted(settings.apis)


def _clients(target: KubernetesTarget) -> Manifest:
    """The ingress controller's namespace, else every pod of the cluster."""
    if target.ingress is not None and target.ingress.from_namespace is not None:
        return of_namespace(target.ingress.from_namespace)
    return {"namespaceSelector": {}}


def _policy(target: KubernetesTarget, name: str, pods: Manifest) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(target, name),
        "spec": {"podSelector": pods},
    }


def _tcp(port: int) -> Manifest:
    return {"protocol": "TCP", "port": port}


def _port(url: str | None, usual: int) -> int:
    if url is None:
        return usual
    parts = urlsplit(url)
    return parts.port or (80 if parts.scheme == "http" else usual)
