"""Names of uploaded code archives: by content, so that equal code is uploaded once and never starts new replicas."""

from __future__ import annotations

import hashlib
from typing import Final

MAX_BYTES: Final = 256 * 2**20
"""Larger archives are refused before they are sent; Ray takes up to 500 MB."""


def package_name(archive: bytes) -> str:
    """The file name that Ray keeps an archive (zip) under."""
    return f"_ray_pkg_{hashlib.sha256(archive).hexdigest()[:32]}.zip"


def package_uri(archive: bytes) -> str:
    """What ``runtime_env.working_dir`` calls the archive: ``gcs://…``, kept by the cluster itself.

    Ray drops an archive that no application refers to within ten minutes of its upload, so upload it right before the
    description that names it is put; `ClusterApi.upload` sends nothing that is still there.
    """
    return f"gcs://{package_name(archive)}"
