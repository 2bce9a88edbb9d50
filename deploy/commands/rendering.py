"""`cloud-deploy deploy --output DIR`: manifests for target kubernetes."""

from __future__ import annotations

from pathlib import Path

from deploy.errors import SettingsError
from deploy.kubernetes.manifests import manifests, secret_command, write
from deploy.registry.reference import parse_reference
from deploy.registry.registry import Registry
from deploy.rollout.wanted import from_settings
from deploy.settings import DeploySettings, KubernetesTarget


def wants_manifests(settings: DeploySettings, output: Path | None) -> bool:
    """Whether manifests are written; raises `SettingsError` when target and option do not go together."""
    if isinstance(settings.target, KubernetesTarget) != (output is not None):
        raise SettingsError(
            "target kubernetes needs --output DIR, where the manifests are written"
            if output is None
            else f"--output is for target kubernetes, and target.kind is {settings.target.kind}"
        )
    return output is not None


def write_manifests(settings: DeploySettings, registry: Registry, folder: Path, output: Path) -> None:
    """Write the manifests with the models that the registry has by now, and say what to do with them.

    Nothing is uploaded: what is written names models that lie in the registry. Raises a `DeployError`.
    """
    assert isinstance(settings.target, KubernetesTarget)  # noqa: S101 - as `wants_manifests` said
    wanted = from_settings(settings, registry, folder, None)
    if wanted.uploads:
        missing = " ".join(upload.reference.name for upload in wanted.uploads)
        raise SettingsError(f"models are not in the registry yet: `cloud-deploy models push {missing}` first")
    pinned = wanted.content.models
    files = manifests(
        settings,
        {
            api: [parse_reference(pinned[str(reference)]) for reference in chosen.references(api)]
            for api, chosen in settings.apis.items()
        },
    )
    write(files, output)
    print(f"{len(files)} files are in {output}. Next, with the KubeRay operator (1.5.1 or newer) in the cluster:")
    print(f"  kubectl apply --filename {output / next(iter(files))}")
    print(f"  {secret_command(settings.target)}")
    print(f"  kubectl apply --filename {output}")
