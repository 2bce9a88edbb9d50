"""The licences of what is installed, as the packages state them, and which are not permissive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, distributions
from typing import Final

from tools.faults.supply.pins import normal, pins

_PERMISSIVE: Final = re.compile(
    r"\b(MIT|MIT-CMU|HPND|BSD|[023]-Clause|Apache|ASL|ISC|PSF|Python Software Foundation|Python-2\.0|PSFL|Unlicense|"
    r"CC0|CC-BY-4|Zlib|zlib|BSL-1|Boost|OFL|SIL|Public Domain|WTFPL|0BSD|Blue ?Oak|CNRI|Unicode|FTL)",
    re.IGNORECASE,
)
_RECIPROCAL: Final = re.compile(
    r"\b(A?GPL|LGPL|MPL|EPL|CDDL|EUPL|SSPL|Mozilla|GNU|Eclipse|proprietary|NVIDIA)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Licence:
    """A package, its version and what it says of its licence; whether that is permissive."""

    name: str
    version: str
    text: str
    permissive: bool


def licences() -> Iterator[Licence]:
    """Of all pinned packages that are installed here, by name."""
    pinned = pins()
    for found in sorted(distributions(), key=lambda d: normal(d.name)):
        if normal(found.name) in pinned:
            text = stated(found)
            yield Licence(normal(found.name), found.version, text, is_permissive(text))


def stated(found: Distribution) -> str:
    """The licence by its expression, its classifiers or the first line of its text."""
    told = found.metadata
    expression = _first(told, "License-Expression")
    if expression:
        return expression
    marks = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier") or () if c.startswith("License :: ")]
    marks = [mark for mark in marks if mark != "OSI Approved"]
    if marks:
        return "; ".join(marks)
    lines = _first(told, "License").strip().splitlines()
    return lines[0].strip() if lines else "not stated"


def _first(told: PackageMetadata, name: str) -> str:
    return str(next(iter(told.get_all(name) or ()), ""))


def is_permissive(text: str) -> bool:
    """Whether a statement names a permissive licence only, or lets one choose such."""
    choices = re.split(r"\bOR\b", text)
    return any(_PERMISSIVE.search(choice) and not _RECIPROCAL.search(choice) for choice in choices)
