"""Manifests for Kubernetes with the KubeRay operator: pure functions from settings to what `kubectl apply` takes."""
