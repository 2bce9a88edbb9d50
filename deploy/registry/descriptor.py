"""What a model consists of: its files with their hashes. The hash of this list is the model's digest.

The same idea as an OCI image manifest (https://github.com/opencontainers/image-spec): whoever knows the digest can
check every byte, and equal models have equal digests wherever they are pushed from.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_apis.errors import StartError
from cloud_apis.model_files import load_model_file
from deploy.errors import CorruptError, MissingError

_CHUNK_BYTES = 2**20
_OPTIONAL = (".md",)
MAX_FILE_BYTES = 2**31
"""Larger files are refused: no model of ours comes near."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model: its name, SHA-256 in hexadecimal, and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A model's name, version and files (the network, its manifest, its card), sorted by name."""

    name: str
    version: str
    files: tuple[ModelFile, ...]

    def to_bytes(self) -> bytes:
        """The canonical form: JSON with sorted keys and no spaces."""
        content = {
            "files": [{"name": f.name, "sha256": f.sha256, "size": f.size} for f in self.files],
            "name": self.name,
            "version": self.version,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def describe(folder: Path, name: str) -> Descriptor:
    """The descriptor of the model ``name`` in a folder, whose manifest is checked.

    Raises `MissingError` when a file is missing and `CorruptError` when network and manifest do not agree.
    """
    paths = [folder / f"{name}.onnx", folder / f"{name}.json"]
    for path in paths:
        if not path.is_file():
            raise MissingError(f"{path} is missing: a model is NAME.onnx with NAME.json beside it")
    try:
        _, manifest = load_model_file(folder, name)
    except StartError as error:
        raise CorruptError(str(error)) from error
    paths += [path for suffix in _OPTIONAL if (path := folder / f"{name}{suffix}").is_file()]
    files = tuple(sorted((_file(path) for path in paths), key=lambda file: file.name))
    return Descriptor(name, manifest.version, files)


def parse_descriptor(data: bytes, digest: str) -> Descriptor:
    """Read a descriptor that must have this digest; raises `CorruptError`."""
    if hashlib.sha256(data).hexdigest() != digest:
        raise CorruptError(f"the description of sha256:{digest} in the registry was changed: its hash differs")
    try:
        content: Any = json.loads(data)
        files = tuple(ModelFile(_plain(f["name"]), str(f["sha256"]), int(f["size"])) for f in content["files"])
        return Descriptor(str(content["name"]), str(content["version"]), files)
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"the description of sha256:{digest} in the registry is no description: {error}") from error


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _file(path: Path) -> ModelFile:
    return ModelFile(path.name, hash_file(path), path.stat().st_size)


def _plain(name: str) -> str:
    # What is pulled is written under this name: it must not lead elsewhere.
    if Path(name).name != name or name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no plain file name")
    return name
