"""Pushing models to the registry, naming them by tags, and finding them again.

Below the registry's prefix lie ``blobs/<sha256>`` (files), ``models/<name>/<digest>.json`` (descriptors) and
``tags/<name>/<tag>`` (a digest each). Blobs and descriptors are never changed, but for damaged ones, which pushing
again mends; a model is in the registry once its
descriptor is there, which is written last: an upload that breaks off leaves nothing that could be deployed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import CorruptError, MissingError, SettingsError
from deploy.registry.descriptor import Descriptor, describe, parse_descriptor
from deploy.registry.objects import Objects, Progress
from deploy.registry.reference import ModelReference, is_tag

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DESCRIPTOR_BYTES = 2**16
_TAG_BYTES = 128


@dataclass(frozen=True, slots=True)
class Pushed:
    """A model that was pushed: its digest, the bytes that had to be sent, and whether it was all there before."""

    reference: ModelReference
    descriptor: Descriptor
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A model in the registry with the tags that name it."""

    descriptor: Descriptor
    tags: tuple[str, ...]


def blob_key(sha256: str) -> str:
    """Where a file lies."""
    return f"blobs/{sha256}"


class Registry:
    """Models of one place in S3. Methods raise a `RegistryError`."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def push(self, folder: Path, name: str, tags: tuple[str, ...], progress: Progress) -> Pushed:
        """Upload the files of a model that are missing, then its descriptor, then set its tags.

        ``progress`` is told the bytes that are done, sent or not. The same content is sent once only.
        """
        for tag in tags:
            check_tag(tag)
        descriptor = describe(folder, name)
        sent = 0
        for file in descriptor.files:
            if self.objects.upload_once(blob_key(file.sha256), folder / file.name, progress):
                sent += file.size
        key, data = _descriptor_key(name, descriptor.digest), descriptor.to_bytes()
        if not self.objects.write_once(key, data) and self.objects.read(key, _DESCRIPTOR_BYTES) != data:
            self.objects.write(key, data)
        reference = ModelReference(name, digest=descriptor.digest)
        for tag in tags:
            self.tag(reference, tag)
        return Pushed(reference, descriptor, sent)

    def tag(self, reference: ModelReference, tag: str) -> ModelReference:
        """Let a tag name this model, from now on; gives the model by its digest."""
        check_tag(tag)
        pinned = self.resolve(reference)
        self.objects.write(f"tags/{pinned.name}/{tag}", f"{pinned.digest}\n".encode())
        return pinned

    def resolve(self, reference: ModelReference) -> ModelReference:
        """The model by its digest; raises `MissingError` if there is no such tag or model."""
        if reference.digest is not None:
            if self.objects.size(_descriptor_key(reference.name, reference.digest)) is None:
                raise MissingError(f"there is no model {reference} in {self.objects.place}: push it first")
            return reference
        data = self.objects.read(f"tags/{reference.name}/{reference.tag}", _TAG_BYTES)
        if data is None:
            known = [item.rpartition("/")[2] for item in self.objects.keys(f"tags/{reference.name}/")]
            hint = f"its tags are {', '.join(known)}" if known else "push it first"
            raise MissingError(f"there is no model {reference} in {self.objects.place}: {hint}")
        digest = data.decode("ascii", "replace").strip()
        if not _DIGEST.fullmatch(digest):
            raise CorruptError(f"the tag {reference} in {self.objects.place} holds no digest: set it again")
        return reference.pinned(digest)

    def descriptor(self, reference: ModelReference) -> Descriptor:
        """What a model consists of; raises `MissingError`, `CorruptError`."""
        pinned = self.resolve(reference)
        assert pinned.digest is not None  # noqa: S101 - for the type checker
        data = self.objects.read(_descriptor_key(pinned.name, pinned.digest), _DESCRIPTOR_BYTES)
        if data is None:
            raise MissingError(f"there is no model {pinned} in {self.objects.place}: push it first")
        found = parse_descriptor(data, pinned.digest)
        if found.name != pinned.name:
            raise CorruptError(f"{pinned} is described as a model {found.name!r}")
        return found

    def models(self) -> Iterator[Listed]:
        """All models by name and digest, with their tags."""
        tags: dict[tuple[str, str], list[str]] = {}
        for key in self.objects.keys("tags/"):
            _, name, tag = _parts(key)
            if not is_tag(tag):
                continue
            data = self.objects.read(key, _TAG_BYTES) or b""
            tags.setdefault((name, data.decode("ascii", "replace").strip()), []).append(tag)
        for key in self.objects.keys("models/"):
            _, name, file = _parts(key)
            digest = file.removesuffix(".json")
            if _DIGEST.fullmatch(digest):
                found = self.descriptor(ModelReference(name, digest=digest))
                yield Listed(found, tuple(sorted(tags.get((name, digest), ()))))


def _parts(key: str) -> tuple[str, str, str]:
    """Three parts of a key, of which some are empty where it is a mark for a folder, as consoles make it."""
    kind, _, rest = key.partition("/")
    name, _, file = rest.partition("/")
    return kind, name, file


def check_tag(tag: str) -> None:
    """Raise `SettingsError` for what is no tag."""
    if not is_tag(tag):
        raise SettingsError(f"{tag!r} is no tag: letters, digits, '.', '_' and '-', at most 128")


def _descriptor_key(name: str, digest: str) -> str:
    return f"models/{name}/{digest}.json"
