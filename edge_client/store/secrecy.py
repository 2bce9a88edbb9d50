"""Plates as keyed hashes: who has the key can look a whole plate up, nobody can list them.

A plain hash would not do: there are so few plates that all of them can be tried. HMAC-SHA-256 is RFC 2104 with
FIPS 180-4; the key is the content of a file without the line end.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from edge_client.errors import ConfigError
from edge_client.store.plate_text import plain_plate

_LEAST_BYTES = 16
_SHOWN_DIGITS = 8


class PlateSecret:
    """The key with which plates are hashed."""

    def __init__(self, key: bytes) -> None:
        """`key` has at least 16 bytes, else `ConfigError`."""
        if len(key) < _LEAST_BYTES:
            raise ConfigError(f"a key for hashing plates needs at least {_LEAST_BYTES} bytes, this one has {len(key)}")
        self._key = key

    @classmethod
    def load(cls, file: Path) -> PlateSecret:
        """The key of a file; `ConfigError` when it cannot be read or is too short."""
        try:
            return cls(file.read_bytes().strip())
        except OSError as error:
            raise ConfigError(f"cannot read the key for hashing plates, {file}: {error.strerror}") from None
        except ConfigError as error:
            raise ConfigError(f"{file}: {error}; make one: head -c 32 /dev/urandom | base64 > {file}") from None

    def digest(self, text: str) -> str:
        """64 hex digits for a plate, the same however it is spaced and written."""
        return hmac.new(self._key, plain_plate(text).encode(), hashlib.sha256).hexdigest()


def short_hash(digest: str) -> str:
    """A hash as it is shown where there is little room."""
    return f"#{digest[:_SHOWN_DIGITS]}"


def secret_of(file: Path | None) -> PlateSecret | None:
    """The configured key, None where texts are stored."""
    return PlateSecret.load(file) if file is not None else None
