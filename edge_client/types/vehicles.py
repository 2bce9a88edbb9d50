"""What a car looks like, as it is kept with its read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_CAPITALS: Final = frozenset({"bmw", "gmc", "byd"})
_ABBREVIATED: Final = 2  # letters: XF, MG


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Type, colour, make and model by the names of the API that told them; what is not known is empty.

    Each has the chance, 0..1, that it is right; 0 where it is not known. ``kind`` is the detector's class (car,
    truck, bus, motorcycle); a model is never known without its make.
    """

    kind: str = ""
    type: str = ""
    colour: str = ""
    make: str = ""
    model: str = ""
    type_confidence: float = 0.0
    colour_confidence: float = 0.0
    make_confidence: float = 0.0
    model_confidence: float = 0.0

    @property
    def known(self) -> bool:
        """Whether anything is known of it but that it is a vehicle."""
        return bool(self.type or self.colour or self.make)

    @property
    def title(self) -> str:
        """In a few words: ``red Suzuki Swift``, ``white van``; empty where nothing is known."""
        if not self.known:
            return ""
        named = f"{shown_name(self.make)} {shown_name(self.model)}" if self.make else self.type or self.kind
        return f"{self.colour} {named}".replace("_", " ").strip()

    @property
    def short_title(self) -> str:
        """The title without the model, for where there is little room: ``red Suzuki``."""
        return f"{self.colour} {shown_name(self.make)}".strip() if self.make else self.title

    def contradicts(self, other: Vehicle) -> bool:
        """Whether what is known of both, their colours or makes, is not that of one car."""
        pairs = (self.colour, other.colour), (self.make, other.make)
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)

    def agrees(self, other: Vehicle) -> bool:
        """Whether both have the make in common, or colour and type, and contradict each other in neither."""
        made_alike = bool(self.make) and self.make == other.make
        look_alike = bool(self.colour and self.type) and (self.colour, self.type) == (other.colour, other.type)
        return (made_alike or look_alike) and not self.contradicts(other)

    def merged(self, before: Vehicle) -> Vehicle:
        """This look at it, with what an earlier one of the same car told besides."""
        make, make_confidence, model, model_confidence = (
            (self.make, self.make_confidence, self.model, self.model_confidence)
            if self.model or (self.make and self.make != before.make)
            else (before.make, max(before.make_confidence, self.make_confidence), before.model, before.model_confidence)
        )
        type_of, colour_of = (self if self.type else before), (self if self.colour else before)
        return Vehicle(
            self.kind or before.kind,
            type_of.type,
            colour_of.colour,
            make,
            model,
            type_of.type_confidence,
            colour_of.colour_confidence,
            make_confidence,
            model_confidence,
        )


def shown_name(label: str) -> str:
    """A make or model as people write it: ``alfa_romeo`` is Alfa Romeo, ``mx-5`` MX-5; what has capitals stays."""
    if label != label.lower():
        return label
    return " ".join(_capitalised(word) for word in label.replace("_", " ").split())


def _capitalised(word: str) -> str:
    if any(c.isdigit() for c in word):
        return word.upper()
    return "-".join(
        part.upper() if len(part) <= _ABBREVIATED or part in _CAPITALS else part[:1].upper() + part[1:]
        for part in word.split("-")
    )
