"""Keeps code archives beside the models in S3, under the hash of their content, where replicas fetch them from.

Ray can keep a package in the memory of its head instead (``gcs://``), but forgets it as soon as no replica uses it:
an API whose last replica died with its machine, or that was scaled to nothing, could not start again. S3 keeps it;
the nodes have credentials for it anyway, since the models lie there; and revisions can be applied again much later.
"""

from __future__ import annotations

import re

from deploy.archive.archive import Archive
from deploy.errors import MissingError
from deploy.registry.objects import Objects, Place

_SHA256 = re.compile(r"[0-9a-f]{64}")


def code_key(sha256: str) -> str:
    """Where an archive lies, below the registry's prefix."""
    return f"code/{sha256}.zip"


def code_uri(place: Place, sha256: str) -> str:
    """What Ray fetches: ``s3://bucket/prefix/code/<sha256>.zip``."""
    return f"{place}/{code_key(sha256)}"


def publish(objects: Objects, archive: Archive) -> int:
    """Upload an archive unless it is there whole; the bytes sent. Raises a `RegistryError`."""
    key, size = code_key(archive.sha256), len(archive.data)
    found = objects.size(key)
    if found == size or (found is None and not objects.write_once(key, archive.data)):
        return 0
    if found is not None:
        objects.write(key, archive.data)
    return size


def require(objects: Objects, sha256: str) -> None:
    """Raise `MissingError` when the archive of an earlier revision is gone."""
    if not _SHA256.fullmatch(sha256) or objects.size(code_key(sha256)) is None:
        raise MissingError(f"the code {sha256[:12]}… of that revision is not in {objects.place} any more")
