"""A reproducible zip archive: equal content gives equal bytes on any machine, at any time.

Paths are sorted, times and modes fixed, and nothing is compressed, since compressors differ from version to version
(the idea of https://reproducible-builds.org/docs/archives/). The code is half a megabyte.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud_apis.catalogue.table import load_catalogue
from cloud_apis.errors import StartError
from deploy.archive.contents import CATALOGUE, collect, package_roots
from deploy.errors import SettingsError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can state
_MODE = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip archive and the SHA-256 of its bytes, in hexadecimal."""

    data: bytes
    sha256: str


def pack(files: Mapping[str, bytes]) -> Archive:
    """An archive of these files, by their paths in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            archive.writestr(entry, content)
    data = buffer.getvalue()
    return Archive(data, hashlib.sha256(data).hexdigest())


def code_archive(catalogue: Path | None = None) -> Archive:
    """The code of this installation, with a catalogue of one's own in the place of the shipped one.

    Raises `SettingsError` when the catalogue cannot be read or is wrong.
    """
    files = collect(package_roots())
    if catalogue is not None:
        files[CATALOGUE] = _checked(catalogue)
    return pack(files)


def _checked(catalogue: Path) -> bytes:
    """The file's content, which would otherwise fail in each replica."""
    try:
        load_catalogue(catalogue)
        return catalogue.read_bytes()
    except StartError as error:
        raise SettingsError(f"catalogue: {error}") from error
    except OSError as error:
        raise SettingsError(f"catalogue: cannot read {catalogue}: {error.strerror}") from error
