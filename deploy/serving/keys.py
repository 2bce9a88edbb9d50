"""The API key on its way to the replicas: the cluster is told a hash of it, never the key.

Serve shows an application's arguments to everyone who may see its dashboard, keeps them in its store and in logs of
its own. So the arguments hold either ``sha256:HEX``, a hash salted with the place of the registry (equal keys of two
deployments have different hashes; the same deployment always has the same one, so that nothing changes when nothing
changed), or ``env:NAME`` where the replicas' environment has the key itself (a Kubernetes Secret). A hash can be
tried against guesses by whoever reads it, so keys that could be guessed are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from cloud_apis.endpoint import read_api_key
from cloud_apis.errors import StartError
from deploy.errors import SettingsError

LEAST_CHARACTERS = 16
"""Shorter keys are refused: their hash would tell them."""
_ALGORITHM = "sha256:"
_VARIABLE = "env:"
_FILE = "file:"


def resolve_key(reference: str, environment: Mapping[str, str] = os.environ) -> str:
    """The key that ``env:NAME`` or ``file:PATH`` names; raises `SettingsError`, which never tells the key."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        key = environment.get(where, "").strip()
        if not key:
            raise SettingsError(f"api_key: the variable {where} is not set: export {where}=…")
    elif kind == "file":
        try:
            key = read_api_key(str(Path(where).expanduser())) or ""
        except StartError as error:
            raise SettingsError(f"api_key: {error}") from error
    else:
        raise SettingsError(f"api_key is {reference.partition(':')[0]}:…: write env:NAME or file:PATH")
    if len(key) < LEAST_CHARACTERS or not key.isascii() or not key.isprintable():
        raise SettingsError(
            f"api_key: the key in {reference} must have {LEAST_CHARACTERS} or more printable ASCII characters: "
            "make one with `openssl rand -hex 24`"
        )
    return key


def hashed(key: str, registry_url: str) -> str:
    """``sha256:HEX`` of a key, for `Arguments.key`."""
    salted = b"\0".join((b"plate-dashcam API key", registry_url.encode(), key.encode()))
    return _ALGORITHM + hashlib.sha256(salted).hexdigest()


def key_check(known: str, registry_url: str, environment: Mapping[str, str] = os.environ) -> Callable[[str], bool]:
    """A test, in constant time, of the keys that clients send against `Arguments.key`.

    Raises `SettingsError` when the variable of ``env:NAME`` is not set in this process.
    """
    if known.startswith(_VARIABLE):
        known = hashed(resolve_key(known, environment), registry_url)
    expected = known.encode()

    def accepts(sent: str) -> bool:
        return hmac.compare_digest(hashed(sent, registry_url).encode(), expected)

    return accepts
