"""What shall run: settings with tags resolved to digests, code to a hash, and the key to a hash of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from deploy.archive.archive import Archive
from deploy.archive.store import code_uri, publish, require
from deploy.errors import CorruptError, MissingBucketError, MissingError
from deploy.registry.descriptor import Descriptor, describe
from deploy.registry.objects import Progress
from deploy.registry.reference import DEFAULT_TAG, ModelReference, parse_reference
from deploy.registry.registry import Registry, blob_key
from deploy.revisions.revision import Content, Revision
from deploy.serving.description import Description, application
from deploy.serving.keys import hashed, resolve_key
from deploy.settings import ApiSettings, DeploySettings


@dataclass(frozen=True, slots=True)
class Upload:
    """A model of the package that is not in the registry yet, and the reference that shall name it."""

    reference: ModelReference
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that `Rollout.apply` needs. ``archive`` is None for code that lies in the registry or on the nodes."""

    settings: DeploySettings
    content: Content
    archive: Archive | None
    uploads: tuple[Upload, ...]

    def applications(self, environment: Mapping[str, str] = os.environ) -> tuple[Description, ...]:
        """Each API as Serve is told of it; raises `SettingsError` when the key cannot be had."""
        settings, content = self.settings, self.content
        place = settings.registry.place()
        key = None
        if settings.api_key is not None:
            key = hashed(resolve_key(settings.api_key, environment), settings.registry.url)
        return tuple(
            application(
                api,
                settings,
                [parse_reference(content.models[str(reference)]) for reference in chosen.references(api)],
                code_uri=None if content.code is None else code_uri(place, content.code),
                key=key,
            )
            for api, chosen in settings.apis.items()
        )


def from_settings(settings: DeploySettings, registry: Registry, models: Path, archive: Archive | None) -> Wanted:
    """What the settings ask for now.

    A model that the registry does not have is taken from the folder ``models`` if the reference is its tag
    ``latest`` or its digest. ``archive`` None means code that is installed on the nodes. Raises a `RegistryError`.
    """
    resolved: dict[str, str] = {}
    uploads: list[Upload] = []
    for reference in dict.fromkeys(r for api, chosen in settings.apis.items() for r in chosen.references(api)):
        try:
            resolved[str(reference)] = str(registry.resolve(reference))
        except MissingBucketError:
            raise
        except MissingError:
            upload = _upload(reference, models)
            if upload is None:
                raise
            uploads.append(upload)
            resolved[str(reference)] = str(reference.pinned(upload.descriptor.digest))
    content = Content(
        {api: chosen.model_dump(mode="json") for api, chosen in settings.apis.items()},
        resolved,
        None if archive is None else archive.sha256,
        settings.api_key,
    )
    return Wanted(settings, content, archive, tuple(uploads))


def from_revision(revision: Revision, settings: DeploySettings) -> Wanted:
    """What a revision ran: its APIs, models and code; place, target and key are those of the settings of today.

    Raises `CorruptError` for settings of another version of this program.
    """
    try:
        apis = {api: ApiSettings.model_validate(chosen) for api, chosen in revision.content.apis.items()}
    except ValidationError as error:
        raise CorruptError(
            f"revision {revision.number} has settings that this version does not know: {error}"
        ) from error
    content = Content(revision.content.apis, revision.content.models, revision.content.code, settings.api_key)
    return Wanted(settings.model_copy(update={"apis": apis}), content, None, ())


def send(wanted: Wanted, registry: Registry, models: Path, progress: Progress) -> int:
    """Upload the code and the models that are missing, then make sure that all that is wanted is there.

    Returns the bytes sent. Raises a `RegistryError`; what is uploaded by then is used by nobody and lies ready.
    """
    sent = 0
    if wanted.archive is not None:
        sent += publish(registry.objects, wanted.archive)
        progress(len(wanted.archive.data))
    elif wanted.content.code is not None:
        require(registry.objects, wanted.content.code)
    for upload in wanted.uploads:
        tags = () if upload.reference.tag is None else (upload.reference.tag,)
        sent += registry.push(models, upload.reference.name, tags, progress).sent_bytes
    for pinned in set(wanted.content.models.values()):
        _require_whole(registry, parse_reference(pinned))
    return sent


def size(wanted: Wanted) -> int:
    """Bytes that `send` reports as progress."""
    code = 0 if wanted.archive is None else len(wanted.archive.data)
    return code + sum(upload.descriptor.size for upload in wanted.uploads)


def _upload(reference: ModelReference, models: Path) -> Upload | None:
    if not (models / f"{reference.name}.onnx").is_file():
        return None
    descriptor = describe(models, reference.name)
    if reference.tag == DEFAULT_TAG or reference.digest == descriptor.digest:
        return Upload(reference, descriptor)
    return None


def _require_whole(registry: Registry, pinned: ModelReference) -> None:
    for file in registry.descriptor(pinned).files:
        if registry.objects.size(blob_key(file.sha256)) != file.size:
            raise MissingError(f"{file.name} of {pinned} is not in the registry as it should be: push it again")
