"""Spoiled settings files before each command that reads them: one line that says what is wrong, or settings.

A case is a line with the kind of file, then its text.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from cloud_apis.crnn.regions import read_regions
from cloud_apis.errors import StartError
from cloud_apis.settings import load_settings as load_apis
from deploy.errors import SettingsError
from deploy.settings.file import load_settings as load_deploy
from edge_client.config_file import load_settings as load_edge
from edge_client.errors import ConfigError
from tools.faults.fuzz.format import Feed, Format
from tools.faults.fuzz.mutate import BYTES, Mutation

_LOADERS: Final[dict[str, Callable[[Path], object]]] = {
    "edge": load_edge,
    "apis": load_apis,
    "deploy": load_deploy,
    "regions": read_regions,
}
_LONGEST_MESSAGE: Final = 2000
_MOST_LINES: Final = 40
_LAUGHS: Final = "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9) if before else 'lol'}]"
    for before, name in zip(["", *"abcdefghij"], "abcdefghijk", strict=True)
)
_VALUES: Final = (
    "",
    "~",
    "null",
    "true",
    "off",
    "0",
    "-1",
    "1e400",
    ".inf",
    ".nan",
    "9" * 5000,
    "0x",
    "0b2",
    "1:99:99",
    "2020-13-45",
    "2020-01-01 25:61:61",
    "!!int ''",
    "!!float x",
    "!!binary '%'",
    "!!timestamp x",
    "!!python/object:os.system {}",
    "!!set {a, b}",
    "!!omap [a]",
    "!!merge {}",
    "<<",
    "*nobody",
    "&a [*a]",
    "&a {k: *a}",
    "{[1]: 2}",
    "? [a, b]",
    "'" + "x" * 3000 + "'",
    "[" * 900,
    "[" * 900 + "]" * 900,
    "{a: " * 300,
    "- " * 500 + "x",
    '"\\ud800"',
    '"\\0"',
    "|\n  text",
    "%TAG ! x",
    "--- x\n--- y",
    "\ufeff",
    "/dev/null",
    "../../etc/passwd",
    "http://[",
    "http://h:99999",
    "http://\u2100",
    "!!bool x",
    "!!null x",
    "1_000",
    "=",
)


def intact() -> Sequence[bytes]:
    """The shipped files without their comments, whole where they are short, else in overlapping parts."""
    found = []
    for kind in _LOADERS:
        text = (resources.files("config") / f"{kind}.yaml").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        starts = [i for i, line in enumerate(lines) if not line.startswith((" ", "-"))] or [0]
        for start in starts:
            part = lines[start : start + _MOST_LINES]
            found.append("\n".join([kind, *part, ""]).encode())
        if kind == "apis":
            found += ["\n".join([kind, *lines, ""]).encode()] * 5
    return found


def _lines(case: bytes) -> list[bytes]:
    return case.split(b"\n")


def _moved_line(random_: random.Random, case: bytes) -> bytes:
    """A line is missing, doubled, elsewhere or further in."""
    lines = _lines(case)
    at = random_.randrange(len(lines))
    line = lines[at]
    match random_.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(random_.randrange(len(lines) + 1), line)
        case 2:
            lines[at] = b" " * random_.randint(1, 5) + line
        case _:
            lines[at] = line.replace(b": ", b":", 1) if b": " in line else b"\t" + line
    return b"\n".join(lines)


def _other_value(random_: random.Random, case: bytes) -> bytes:
    lines = _lines(case)
    at = random_.randrange(len(lines))
    key, colon, _ = lines[at].partition(b": ")
    lines[at] = (key + colon if colon else key + b" ") + random_.choice(_VALUES).encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _other_key(random_: random.Random, case: bytes) -> bytes:
    lines = _lines(case)
    at = random_.randrange(len(lines))
    _, colon, value = lines[at].partition(b": ")
    lines[at] = random_.choice((b"1", b"true", b"[a]", b"? x", b"{}", b"~", b"'", b"<<", b"__class__")) + colon + value
    return b"\n".join(lines)


def _laughs(random_: random.Random, case: bytes) -> bytes:
    """Names for lists of lists, which are billions of values when written out."""
    if random_.random() < 0.7:
        return case
    return case + b"\n" + _LAUGHS.encode() + random_.choice((b"", b"\nsource: *k\n", b"\nyolov3: {labels: *k}\n"))


_STRUCTURE: Final[tuple[Mutation, ...]] = (_moved_line, _other_value, _other_value, _other_key, _laughs)


def _load(folder: Path, case: bytes) -> str:
    head, _, text = case.partition(b"\n")
    kind = head.decode("latin-1")
    if kind not in _LOADERS:
        kind = list(_LOADERS)[len(text) % len(_LOADERS)]
    file = folder / "settings.yaml"
    file.write_bytes(text)
    try:
        _LOADERS[kind](file)
    except (ConfigError, StartError, SettingsError) as error:
        if "\n" in str(error) or len(str(error)) > _LONGEST_MESSAGE:
            raise AssertionError(f"the message is no line for people: {str(error)[:80]!r}") from error
        return "refused"
    return "taken"


@contextlib.contextmanager
def _reader(folder: Path) -> Iterator[Feed]:
    yield lambda case: _load(folder, case)


FORMAT: Final = Format(
    "settings", "settings files of all commands", intact, (*BYTES, *_STRUCTURE * 2), _reader, text=True
)
