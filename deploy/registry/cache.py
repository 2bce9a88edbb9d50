"""Models pulled from the registry into a folder: verified, whole or not at all, and only once.

``blobs/<sha256>`` holds files, ``sets/<hash>`` folders with the models of one API as `cloud_apis` loads them. A blob
comes into being by renaming a finished, verified file; a set by renaming a finished folder. A broken download is
taken up where it ended. What already serves is never touched. ``blobs/<sha256>.lock`` is locked by whoever downloads
that file; the others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import CorruptError, RegistryError
from deploy.registry.descriptor import MAX_FILE_BYTES, Descriptor, ModelFile, hash_file
from deploy.registry.objects import Progress
from deploy.registry.reference import ModelReference
from deploy.registry.registry import Registry, blob_key


class ModelCache:
    """A folder of verified models; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pull(self, registry: Registry, references: Sequence[ModelReference], progress: Progress) -> Path:
        """A folder with the files of these models, of which each file has been checked against its hash.

        Raises a `RegistryError`; then nothing has changed but for files that are whole.
        """
        descriptors = [registry.descriptor(reference) for reference in references]
        target = self.folder / "sets" / _name_of(descriptors)
        if target.is_dir():
            progress(sum(descriptor.size for descriptor in descriptors))
            return target
        try:
            for descriptor in descriptors:
                for file in descriptor.files:
                    self._fetch(registry, file, progress)
            return self._assemble(descriptors, target)
        except OSError as error:
            raise RegistryError(f"cannot keep models in {self.folder}: {error.strerror or error}") from error

    def _fetch(self, registry: Registry, file: ModelFile, progress: Progress) -> None:
        blob = self._blob(file)
        if _is_whole(blob, file):
            progress(file.size)
            return
        if file.size > MAX_FILE_BYTES:
            raise RegistryError(f"{file.name} has {file.size} bytes: more than a model may have")
        blob.parent.mkdir(parents=True, exist_ok=True)
        # The lock's file stays: who removed it could lock another than the one that somebody waits for.
        with blob.with_name(f"{file.sha256}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_whole(blob, file):  # another process was first
                progress(file.size)
                return
            self._download(registry, file, blob, progress)

    def _download(self, registry: Registry, file: ModelFile, blob: Path, progress: Progress) -> None:
        part = blob.with_name(f"{file.sha256}.part")
        begun = part.stat().st_size if part.is_file() else 0
        if begun >= file.size:
            part.unlink(missing_ok=True)
            begun = 0
        progress(begun)
        with part.open("ab") as stream:
            for chunk in registry.objects.chunks(blob_key(file.sha256), begun):
                begun += len(chunk)
                if begun > file.size:
                    break
                stream.write(chunk)
                progress(len(chunk))
            stream.flush()
            os.fsync(stream.fileno())
        if begun != file.size or hash_file(part) != file.sha256:
            part.unlink(missing_ok=True)
            raise CorruptError(
                f"{file.name} in {registry.objects.place} is not what its hash sha256:{file.sha256} says: push it again"
            )
        part.replace(blob)

    def _assemble(self, descriptors: Sequence[Descriptor], target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
        try:
            for file in (file for descriptor in descriptors for file in descriptor.files):
                _link(self._blob(file), draft / file.name)
            draft.chmod(0o755)
            try:
                draft.rename(target)
            except OSError:
                if not target.is_dir():  # else another process was first
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return target

    def _blob(self, file: ModelFile) -> Path:
        return self.folder / "blobs" / file.sha256


def _is_whole(blob: Path, file: ModelFile) -> bool:
    return blob.is_file() and blob.stat().st_size == file.size and hash_file(blob) == file.sha256


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _name_of(descriptors: Sequence[Descriptor]) -> str:
    joined = "\n".join(sorted(descriptor.digest for descriptor in descriptors))
    return hashlib.sha256(joined.encode()).hexdigest()
