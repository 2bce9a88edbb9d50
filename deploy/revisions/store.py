"""The revisions of one deployment, as objects ``revisions/<deployment>/<number>.json`` below the registry's prefix."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from deploy.errors import ConflictError, MissingError
from deploy.registry.objects import Objects
from deploy.revisions.revision import Revision, parse_revision

_LIMIT_BYTES = 2**20
_NUMBER = re.compile(r"(\d{6})\.json")


class Revisions:
    """Reads and adds revisions; none is ever changed. Methods raise a `RegistryError`."""

    def __init__(self, objects: Objects, deployment: str) -> None:
        self._objects = objects
        self._prefix = f"revisions/{deployment}/"

    def numbers(self) -> list[int]:
        """The numbers there are, ascending."""
        keys = (key.removeprefix(self._prefix) for key in self._objects.keys(self._prefix))
        return sorted(int(found[1]) for key in keys if (found := _NUMBER.fullmatch(key)))

    def read(self, number: int) -> Revision:
        """One revision; raises `MissingError` that says which there are."""
        key = self._key(number)
        data = self._objects.read(key, _LIMIT_BYTES)
        if data is None:
            raise MissingError(f"there is no revision {number}; there are {_ranges(self.numbers())}")
        return parse_revision(data, f"{self._objects.place}/{key}")

    def newest_first(self) -> Iterator[Revision]:
        """All revisions, each read when it is asked for."""
        for number in reversed(self.numbers()):
            yield self.read(number)

    def add(self, make: Callable[[int], Revision]) -> Revision:
        """Write the revision that ``make`` gives for the next number.

        Raises `ConflictError` when someone else took that number at the same moment.
        """
        number = (self.numbers() or [0])[-1] + 1
        revision = make(number)
        if not self._objects.write_once(self._key(number), revision.to_bytes()):
            raise ConflictError(f"revision {number} was just taken: someone else deploys, see `status`")
        return revision

    def withdraw(self, revision: Revision) -> None:
        """Take back the revision that was just added, since applying it failed."""
        self._objects.delete(self._key(revision.number))

    def _key(self, number: int) -> str:
        return f"{self._prefix}{number:06d}.json"


def _ranges(numbers: list[int]) -> str:
    if not numbers:
        return "none"
    if numbers[-1] - numbers[0] + 1 == len(numbers):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
