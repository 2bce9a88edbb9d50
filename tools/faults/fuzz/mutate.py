"""One engine of mutations for all formats: case N of a seed is always the same, whatever ran before it.

A format brings intact inputs of its own making and what knows its structure; `BYTES` knows nothing of any.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Mutation = Callable[[random.Random, bytes], bytes]
_TRIES: Final = 20
_SPECIAL: Final = (b"\0", b"\xff", b"\x7f", b"\x80", b"\n", b"\r\n", b" ", b'"', b"{", b"[", b"\\", b"%00", b"\xc0\xaf")


@dataclass(frozen=True, slots=True)
class Cases:
    """Mutated inputs: each is one of the intact ones with one to four mutations."""

    intact: Sequence[bytes]
    mutations: Sequence[Mutation]
    seed: int

    def __getitem__(self, index: int) -> bytes:
        """The case with that number, from 0."""
        random_ = random.Random(f"{self.seed}/{index}")
        return mutated(random_, random_.choice(self.intact), self.mutations, random_.choice((1, 1, 2, 4)))


def mutated(random_: random.Random, data: bytes, mutations: Sequence[Mutation], count: int) -> bytes:
    """The input after so many mutations, or more where these left it as it was."""
    before = data
    for _ in range(_TRIES):
        for _ in range(count):
            data = random_.choice(mutations)(random_, data)
        if data != before:
            break
    return data


def place(random_: random.Random, data: bytes) -> int:
    """The place of one of the bytes; 0 where there are none."""
    return random_.randrange(len(data)) if data else 0


def flip_bit(random_: random.Random, data: bytes) -> bytes:
    """One bit is another."""
    at = place(random_, data)
    return data[:at] + bytes(byte ^ 1 << random_.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def replace(random_: random.Random, data: bytes) -> bytes:
    """One byte is another."""
    at = place(random_, data)
    return data[:at] + bytes([random_.randrange(256)]) + data[at + 1 :]


def insert(random_: random.Random, data: bytes) -> bytes:
    """A few bytes more."""
    at = place(random_, data)
    return data[:at] + random_.randbytes(random_.randint(1, 4)) + data[at:]


def insert_special(random_: random.Random, data: bytes) -> bytes:
    """A few bytes more that mean something to many parsers, now and then many times."""
    at = place(random_, data)
    return data[:at] + random_.choice(_SPECIAL) * random_.choice((1, 1, 1, 2, 300)) + data[at:]


def delete(random_: random.Random, data: bytes) -> bytes:
    """A few bytes less."""
    at = place(random_, data)
    return data[:at] + data[at + random_.randint(1, 8) :]


def swap(random_: random.Random, data: bytes) -> bytes:
    """Two bytes change places."""
    letters = bytearray(data)
    if letters:
        i, j = place(random_, data), place(random_, data)
        letters[i], letters[j] = letters[j], letters[i]
    return bytes(letters)


def truncate(random_: random.Random, data: bytes) -> bytes:
    """It ends too early."""
    return data[: place(random_, data)]


def repeat(random_: random.Random, data: bytes) -> bytes:
    """A part stands there twice."""
    start, length = place(random_, data), random_.randint(1, 64)
    return data[: start + length] + data[start:]


BYTES: Final[tuple[Mutation, ...]] = (flip_bit, replace, insert, insert_special, delete, swap, truncate, repeat)
"""What may happen to bytes of any kind."""
