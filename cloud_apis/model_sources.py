"""Finds the folder of the models that are to be served: the package's, one that is named, or one that is fetched.

Where models are fetched from is not known here: whoever can fetch them says so by an entry point of the group
`plate_dashcam.model_sources`, named after the scheme of his URLs (`s3`), a function as `Fetch` describes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

from cloud_apis.errors import StartError
from cloud_apis.model_files import packaged_models
from cloud_apis.names import MODELS_OF, PLATE_APIS, Api

GROUP: Final = "plate_dashcam.model_sources"


class Fetch(Protocol):
    """Fetches models into a folder of this machine."""

    def __call__(self, url: str, references: Sequence[str]) -> Path:
        """The folder with ``<name>.onnx`` and ``<name>.json`` of each model; raises `StartError`.

        ``references`` are NAME:TAG or NAME@sha256:DIGEST, one for each model that is needed.
        """


def models_folder(source: str | None, names: Collection[str], references: Sequence[str] = ()) -> Path:
    """The folder that holds the models with these names.

    ``source`` is a folder, a URL, or None for the models of the package. ``references`` say which version of a
    fetched model is meant; others are NAME:latest. Raises `StartError`.
    """
    if source is None:
        return packaged_models()
    scheme, separator, _ = source.partition("://")
    if not separator:
        return Path(source)
    found = next(iter(entry_points(group=GROUP, name=scheme)), None)
    if found is None:
        known = ", ".join(sorted({f"{point.name}://" for point in entry_points(group=GROUP)})) or "none"
        raise StartError(f"models cannot be fetched from {scheme}://, only from: {known}")
    chosen = {reference.partition("@")[0].partition(":")[0]: reference for reference in references}
    try:
        fetch: Fetch = found.load()
    except ModuleNotFoundError as error:
        raise StartError(f"{error.name} is not installed: pip install 'plate-dashcam[ray]'") from error
    return fetch(source, [chosen.get(name, name) for name in names])


def offered(source: str | None) -> tuple[Api, ...]:
    """The APIs that a server offers unless told: those of plates, and of vehicles those whose models are there.

    ``source`` is as in `models_folder`. A registry is not asked what it holds: there it is the APIs of plates.
    """
    if source is not None and "://" in source:
        return PLATE_APIS
    folder = packaged_models() if source is None else Path(source)
    return tuple(
        api for api in Api if api in PLATE_APIS or all((folder / f"{name}.onnx").exists() for name in MODELS_OF[api])
    )
