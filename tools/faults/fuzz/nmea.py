"""Feeds mutated NMEA sentences to the dashcam's reader and counts what it takes: `python -m tools.faults.fuzz.nmea`.

A sentence counts as accepted when the reader takes it as intact, whether or not it tells a position. What a right
checksum is, is decided here anew, not by the reader's own code. Mutations that hit the checksum by chance (one in
256 that change several letters) and those that get a new one on purpose, with fields that make no sense, may be
accepted or not; they must not break anything.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_client.positions.lines import Lines
from edge_client.positions.moments import MomentFix, Moments
from edge_client.positions.nmea import NmeaError, parse
from tools.data import data_root
from tools.faults.fuzz import mutate
from tools.faults.fuzz.mutate import BYTES, Mutation, place
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial

_SEEDS = (
    "GPRMC,120000.00,A,4530.0000,N,02330.0000,E,10.0,90.0,020126,,,A",
    "GNRMC,235959.90,A,0000.1000,S,17959.9999,W,0.0,,311226,3.1,E,D,V",
    "GPRMC,,V,,,,,,,,,,N",
    "GLGGA,120000.00,4530.0000,N,02330.0000,E,1,08,1.0,100.0,M,30.0,M,,",
    "GNGNS,120001.00,4530.0000,N,02330.0000,E,AAN,09,0.9,16.5,18.0,,,V",
    "GAGLL,4530.0000,N,02330.0000,E,120002.00,A,A",
    "GPZDA,120003.00,02,01,2026,,",
    "GPGSV,1,1,02,14,49,042,20,19,34,153,22",
)
_FIELDS = ("", "nan", "inf", "-1", "1e308", "99999999999999999999", "1_0", "\u0661", "A", "0", "9" * 60, " ", "٣", ".")
_SENTENCES_PER_DAY = 20


def with_checksum(body: bytes) -> bytes:
    """The sentence with this body, its checksum the exclusive or of all its bytes."""
    return b"$" + body + b"*" + _checksum(body)


def judge(line: bytes) -> str:
    """``right``, ``wrong`` or ``missing``: the checksum of a line's last sentence, by the letter of NMEA 0183."""
    sentence = line.rstrip(b" \t\r\n")
    start = sentence.rfind(b"$")
    if start < 0 or len(sentence) < start + 4 or sentence[-3:-2] != b"*":
        return "missing"
    body = sentence[start + 1 : -3]
    if any(not 0x20 <= byte <= 0x7E for byte in body) or b"*" in body:
        return "wrong"
    return "right" if sentence[-2:].upper() == _checksum(body) else "wrong"


def mutated(seeds: Sequence[bytes], count: int, random_: random.Random) -> Iterator[bytes]:
    """This many sentences without their line ends, each with one to three mutations."""
    for _ in range(count):
        line = mutate.mutated(random_, random_.choice(seeds), _MUTATIONS, random_.choice((1, 1, 2, 3)))
        yield line.replace(b"\n", b"")


class Figures:
    """What became of the sentences."""

    def __init__(self) -> None:
        self.fed = 0
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.fixes = 0
        self.exceptions: Counter[str] = Counter()
        self.examples: list[bytes] = []

    def feed(self, line: bytes, moments: Moments) -> None:
        """One sentence through the reader, as a serial port would bring it."""
        self.fed += 1
        checksum = judge(line)
        try:
            for text, _ in Lines().add(line + b"\r\n", 0.0):
                self._read(text, checksum, moments, line)
        except Exception as error:  # noqa: BLE001 (that none comes is what is measured)
            self.exceptions[type(error).__name__] += 1
            self.examples.append(line)

    def _read(self, text: str, checksum: str, moments: Moments, line: bytes) -> None:
        try:
            sentence = parse(text)
        except NmeaError:
            self.refused[checksum] += 1
            return
        self.accepted[checksum] += 1
        if checksum != "right":
            self.examples.append(line)
        fix = moments.add(sentence) if sentence is not None else None
        if fix is not None:
            self.fixes += 1
            _check(fix)

    @property
    def good(self) -> bool:
        """Whether nothing was accepted that must not be, and nothing broke."""
        return not (self.accepted["wrong"] or self.accepted["missing"] or self.exceptions)

    def __str__(self) -> str:
        rows = [f"{self.fed:>9,} mutated sentences"]
        rows += [f"{self.accepted[kind]:>9,} accepted with a {kind} checksum" for kind in ("missing", "wrong", "right")]
        rows += [f"{self.refused[kind]:>9,} refused with a {kind} checksum" for kind in ("missing", "wrong", "right")]
        rows += [f"{self.fixes:>9,} of the accepted told a position, all of them on earth"]
        rows += [f"{sum(self.exceptions.values()):>9,} exceptions {dict(self.exceptions) or ''}".rstrip()]
        rows += [f"          such as {line!r}" for line in self.examples[:5]]
        return "\n".join(rows)


def measure(seeds: Sequence[bytes], count: int, seed: int) -> Figures:
    """Feed this many mutations of the seeds."""
    figures, moments = Figures(), Moments()
    for index, line in enumerate(mutated(seeds, count, random.Random(seed))):
        if index % _SENTENCES_PER_DAY == 0:
            moments = Moments()  # sentences of earlier moments are left out
        figures.feed(line, moments)
    return figures


def built_in() -> list[bytes]:
    """Sentences of each kind that the reader knows."""
    return [with_checksum(body.encode()) for body in _SEEDS]


def of_logs(folder: Path) -> list[bytes]:
    """The intact sentences of a folder's NMEA logs."""
    lines = (line for log in sorted(folder.glob("*.log")) for line in log.read_bytes().splitlines())
    return sorted({line for line in lines if line.startswith(b"$") and judge(line) == "right"})


def trial(effort: Effort) -> Iterator[Row]:
    """Sentences of our own and of the data folder's logs, mutated."""
    root = data_root()
    seeds = built_in() + (of_logs(root / "gps") if root is not None else [])
    figures = measure(seeds, effort.count(100_000, 3_000), effort.seed)
    measured = (
        f"{figures.fed:,} sentences: {figures.accepted['wrong'] + figures.accepted['missing']} accepted, "
        f"{sum(figures.exceptions.values())} exceptions"
    )
    yield Row("mutated NMEA", "none accepted without a right checksum, no exception", measured, figures.good)


NMEA = Trial("nmea", "mutated sentences of a GPS receiver", trial)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if a sentence was accepted that must not be, or something broke."""
    parser = argparse.ArgumentParser(prog="python -m tools.faults.fuzz.nmea", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="sentences (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the random mutations (default: 1)")
    parser.add_argument("--logs", type=Path, help="folder of NMEA logs (default: those of the data folder)")
    arguments = parser.parse_args(argv)
    root = data_root()
    logs = arguments.logs or (root / "gps" if root is not None else None)
    seeds = built_in() + (of_logs(logs) if logs is not None else [])
    print(f"{len(seeds):>9,} intact sentences to begin with")
    figures = measure(seeds, arguments.count, arguments.seed)
    print(figures)
    return 0 if figures.good else 1


def _check(fix: MomentFix) -> None:
    if not (abs(fix.latitude_deg) <= 90 and abs(fix.longitude_deg) <= 180):
        raise AssertionError(f"no place on earth: {fix}")


def _checksum(body: bytes) -> bytes:
    total = 0
    for byte in body:
        total ^= byte
    return b"%02X" % total


def _without_checksum(random_: random.Random, line: bytes) -> bytes:
    return line.rpartition(b"*")[0] + random_.choice((b"", b"*", b"*4", b"*G0", b"*0x"))


def _other_checksum(random_: random.Random, line: bytes) -> bytes:
    return line.rpartition(b"*")[0] + b"*%02X" % random_.randrange(256)


def _longer_checksum(random_: random.Random, line: bytes) -> bytes:
    return line + random_.choice((b"0", b"*00", b",A", b" A", b"\r$", b"\x00"))


def _run_together(random_: random.Random, line: bytes) -> bytes:
    other = random_.choice(built_in())
    return line[: place(random_, line)] + other[place(random_, other) :]


def _other_field(random_: random.Random, line: bytes) -> bytes:
    """A field of another kind, under a right checksum."""
    fields = line.lstrip(b"$").partition(b"*")[0].split(b",")
    fields[random_.randrange(len(fields))] = random_.choice(_FIELDS).encode()
    return with_checksum(b",".join(fields))


def _shuffled_fields(random_: random.Random, line: bytes) -> bytes:
    """Fewer, more or moved fields, under a right checksum."""
    kind, *fields = line.lstrip(b"$").partition(b"*")[0].split(b",")
    fields = random_.choices(fields or [b""], k=random_.randint(0, 20))
    return with_checksum(b",".join([kind, *fields]))


_MUTATIONS: tuple[Mutation, ...] = (
    *BYTES,
    _without_checksum,
    _other_checksum,
    _longer_checksum,
    _run_together,
    _other_field,
    _shuffled_fields,
)

if __name__ == "__main__":
    sys.exit(main())
