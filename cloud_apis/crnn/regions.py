"""What plates of a country look like: regular expressions that choose among the texts a network finds likely.

Nobody can tell the O of many typefaces from a 0, but where a country writes letters in one place and digits in
another, the place tells. `config/regions.yaml` has the forms; none counts unless the settings name its region.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cloud_apis.errors import StartError
from cloud_apis.yaml_file import read_yaml

MAX_TEXT = 12
"""Longer texts are of no region: no plate is longer, and matching stays quick."""
FOREIGN = 0.1
"""How likely a text of another form is against one of a named region: foreign cars, special plates, gaps here."""
_MAX_OPTIONS = 8
_WRITTEN_WITH = re.compile(r"(?:[A-Z0-9\[\]{},()|?-]|\\d){1,300}")
_OPTION = re.compile(r"\?|\{\d+,\d+\}")


@dataclass(frozen=True, slots=True)
class Region:
    """A country, or a part of one, and the forms of its plates, which match whole texts of A-Z and 0-9."""

    code: str
    name: str
    patterns: tuple[re.Pattern[str], ...]

    def has(self, text: str) -> bool:
        """Whether a text without spaces has one of the region's forms."""
        return len(text) <= MAX_TEXT and any(pattern.fullmatch(text) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Choice:
    """The place of the chosen candidate, and its probability by the network and the regions together."""

    index: int
    probability: float


def choose(candidates: Sequence[tuple[str, float]], regions: Sequence[Region]) -> Choice:
    """The likeliest of some texts of a plate when its region is one of these.

    ``candidates`` are texts and their probabilities by the network, best first, summing to at most 1; what is
    missing to 1 counts as texts of the regions. By Bayes' rule a text of another form weighs `FOREIGN` of what it
    would. Without a candidate of the regions' forms the first one stays, as probable as it was.
    """
    fits = [any(region.has(text) for region in regions) for text, _ in candidates]
    if not any(fits):
        return Choice(0, candidates[0][1])
    weights = [p if fit else p * FOREIGN for fit, (_, p) in zip(fits, candidates, strict=True)]
    rest = max(0.0, 1.0 - sum(p for _, p in candidates))
    index = max(range(len(weights)), key=lambda i: (weights[i], -i))
    return Choice(index, min(1.0, weights[index] / (sum(weights) + rest)))


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, description="the region's name in English")
    source: str = Field(min_length=1, description="where the forms are described")
    patterns: list[str] = Field(min_length=1, max_length=40, description="regular expressions for whole texts")
    examples: list[str] = Field(min_length=1, description="made-up texts of these forms")

    @field_validator("patterns")
    @classmethod
    def _patterns_are_safe(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if problem := _problem_of(pattern):
                raise ValueError(f"the pattern {pattern!r} {problem}")
        return patterns

    @model_validator(mode="after")
    def _examples_fit(self) -> Self:
        for example in self.examples:
            if not any(re.fullmatch(pattern, example, re.ASCII) for pattern in self.patterns):
                raise ValueError(f"the example {example!r} has none of the forms")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    regions: dict[Annotated[str, Field(pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$")], _Entry]


def shipped_regions() -> Path:
    """The file of regions that comes with the package."""
    return Path(str(resources.files("config"))) / "regions.yaml"


def load_regions(codes: Sequence[str], path: Path | None = None) -> tuple[Region, ...]:
    """The named regions, by ISO 3166 codes such as GB or US-CA in any case, from a file (default: the shipped one).

    Raises `StartError` with one line: the file is no good, or a region that it does not have, with those it has.
    """
    if not codes:
        return ()
    known = read_regions(path or shipped_regions())
    wanted = [code.strip().upper() for code in codes]
    for code in wanted:
        if code not in known:
            raise StartError(f"there is no region {code!r}; known are {', '.join(sorted(known))}")
    return tuple(known[code] for code in dict.fromkeys(wanted))


def read_regions(path: Path) -> Mapping[str, Region]:
    """All regions of a file by code. Raises `StartError` with one line that says what is wrong where."""
    content = read_yaml(path, "regions")
    try:
        entries = _File.model_validate(content).regions
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(p) for p in problem["loc"]) or "the file"
        # YAML reads the code of Norway as a truth value.
        hint = ' (write the codes in quotes: "NO")' if isinstance(problem["input"], bool) else ""
        raise StartError(f"{path}: {place}: {problem['msg'].removeprefix('Value error, ')}{hint}") from error
    return {
        code: Region(code, entry.name, tuple(re.compile(p, re.ASCII) for p in entry.patterns))
        for code, entry in entries.items()
    }


def _problem_of(pattern: str) -> str | None:
    """What makes a pattern unfit, None if nothing does.

    Only what plates need is let in, with few choices, so that no pattern can take long on twelve characters.
    """
    if not _WRITTEN_WITH.fullmatch(pattern):
        return "may have A-Z, 0-9, \\d, [...], {...}, (...|...) and ? only"
    if "(?" in pattern or "){" in pattern:
        return "has a group that repeats or is not plain"
    if len(_OPTION.findall(pattern)) > _MAX_OPTIONS:
        return f"has more than {_MAX_OPTIONS} parts that may vary in length"
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, OverflowError) as error:
        return f"is not a regular expression: {error}"
    return None
