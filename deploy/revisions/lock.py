"""One operator at a time: a lock in the bucket that expires when its holder has gone.

The lock is an object that is replaced only in the version that was seen (``If-None-Match``, ``If-Match``), so that two
cannot hold it; a nonce in it tells apart two commands of one operator. Its age is taken by the server's clock alone.
Its holder renews it; who finds it older than `EXPIRY_S` takes it over.
"""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import suppress
from types import TracebackType

from deploy.errors import ConflictError, RegistryError
from deploy.registry.objects import Objects, Version

EXPIRY_S = 60.0
_RENEW_S = 15.0
_LIMIT_BYTES = 4096
_FREE = b'{"by": null}\n'


class Lock:
    """Held within a ``with`` block; entering raises `ConflictError` when someone else holds it."""

    def __init__(self, objects: Objects, deployment: str, by: str, expiry_s: float = EXPIRY_S) -> None:
        self._objects = objects
        self._key = f"locks/{deployment}.json"
        self._by = by
        self._expiry_s = expiry_s
        self._data = (json.dumps({"by": by, "nonce": secrets.token_hex(8)}) + "\n").encode()
        self._etag: str | None = None
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="lock", daemon=True)
        self._guard = threading.Lock()

    def __enter__(self) -> Lock:
        found = self._objects.read_version(self._key, _LIMIT_BYTES)
        holder = _holder(found) if found else None
        if found and holder is not None and found.age_s < self._expiry_s:
            raise _taken(holder, self._expiry_s - found.age_s)
        self._etag = self._objects.write_over(self._key, self._data, found.etag if found else None)
        if self._etag is None:
            raise _taken("someone else", self._expiry_s)
        self._renewer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewer.join()
        if self._etag is not None:
            with suppress(RegistryError):  # it expires by itself
                self._objects.write_over(self._key, _FREE, self._etag)

    def check(self) -> None:
        """Renew the lock now; raises `ConflictError` when it was lost, so that nothing is changed without it."""
        with self._guard:
            if self._etag is not None:
                self._etag = self._objects.write_over(self._key, self._data, self._etag)
            if self._etag is None:
                raise ConflictError("the lock on this deployment was lost to someone else: look at `status`")

    def _renew(self) -> None:
        while not self._ended.wait(_RENEW_S):
            try:
                self.check()
            except ConflictError:
                return
            except RegistryError:  # the next try may do; `check` raises where it matters
                continue


def _taken(holder: str, left_s: float) -> ConflictError:
    return ConflictError(
        f"{holder} changes this deployment just now: try again when that has ended "
        f"(a lock that nobody renews ends within {max(1, round(left_s))} s)"
    )


def _holder(found: Version) -> str | None:
    try:
        by = json.loads(found.data)["by"]
    except (ValueError, KeyError, TypeError):
        return "someone"
    return None if by is None else str(by)
