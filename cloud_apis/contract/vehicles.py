"""Vehicles: boxes found in a picture, what each looks like, and how the APIs answer with them.

`/vehicles` finds them, `/colors` and `/make-model` look at one that fills the picture, `/vehicle-report` does it
all and reads the plates too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_apis.contract.parsing import ContractError, field, items, number, probability
from cloud_apis.contract.plates import PlateRead, plate_answer

VEHICLES_PATH: Final = "/vehicles"
COLOURS_PATH: Final = "/colors"
MAKE_MODEL_PATH: Final = "/make-model"
REPORT_PATH: Final = "/vehicle-report"
UNKNOWN: Final = "unknown"
"""The answer where no make or model is sure enough to be named."""
COLOURS_TOLD: Final = 3
"""How many colours an answer names, most likely first."""
TYPES_TOLD: Final = 3
"""How many types a report names of a vehicle at least, most likely first; as many as makes where that is more."""

Facts = Mapping[str, object]
"""What is known of a model, by the catalogue's field names; what is not known is None."""
FactsOf = Callable[[str, str], Facts | None]
"""What is known of a make and model; None where nothing is."""


@dataclass(frozen=True, slots=True)
class VehicleBox:
    """A detected vehicle: corners in pixels of the picture sent, its class, and a score in 0..1."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    kind: str
    score: float


@dataclass(frozen=True, slots=True)
class Guess:
    """A label with the chance, 0..1, that it is right. A model's label does not name its make."""

    label: str
    probability: float
    make: str = ""
    """The make of a guessed model; empty for guesses of anything else."""


@dataclass(frozen=True, slots=True)
class VehicleAttributes:
    """What a vehicle looks like: guesses, most likely first, and what of them is sure enough to be named."""

    colours: tuple[Guess, ...]
    types: tuple[Guess, ...]
    makes: tuple[Guess, ...]
    models: tuple[Guess, ...]
    make: str | None = None
    """The make, or None where none is sure enough."""
    model: str | None = None
    """The model, or None where none is sure enough; never named without its make."""
    classes: tuple[tuple[str, tuple[Guess, ...]], ...] = ()
    """Guesses of each head that one has trained for classes of one's own, with the head's name."""


@dataclass(frozen=True, slots=True)
class ReportedVehicle:
    """A vehicle with what it looks like and the plates within its box."""

    box: VehicleBox
    attributes: VehicleAttributes
    plates: tuple[PlateRead, ...] = ()


def vehicles_answer(boxes: Iterable[VehicleBox]) -> dict[str, object]:
    """The JSON body of an answer of `/vehicles`."""
    return {"vehicles": [_box_answer(box) for box in boxes]}


def colours_answer(colours: Sequence[Guess]) -> dict[str, object]:
    """The JSON body of an answer of `/colors`: the three most likely."""
    return {"colors": [{"color": g.label, "prob": g.probability} for g in colours[:COLOURS_TOLD]]}


def make_model_answer(attributes: VehicleAttributes, facts_of: FactsOf, top_k: int) -> dict[str, object]:
    """The JSON body of an answer of `/make-model`: `top_k` makes and models, with the facts known of each model.

    Only a model with heads of one's own gives it the field `classes`.
    """
    classes = {
        head: [{"name": g.label, "prob": g.probability} for g in guesses[:top_k]]
        for head, guesses in attributes.classes
    }
    answer: dict[str, object] = {
        "make": attributes.make or UNKNOWN,
        "model": attributes.model or UNKNOWN,
        "makes": [{"make": g.label, "prob": g.probability} for g in attributes.makes[:top_k]],
        "models": [
            {"make": g.make, "model": g.label, "prob": g.probability, "facts": facts_of(g.make, g.label)}
            for g in attributes.models[:top_k]
        ],
    }
    return answer | {"classes": classes} if classes else answer


def report_answer(
    vehicles: Iterable[ReportedVehicle], others: Iterable[PlateRead], facts_of: FactsOf, top_k: int
) -> dict[str, object]:
    """The JSON body of an answer of `/vehicle-report`; `others` are plates that lie in no vehicle's box."""
    return {
        "vehicles": [
            _box_answer(vehicle.box)
            | {
                "types": [
                    {"type": g.label, "prob": g.probability} for g in vehicle.attributes.types[: max(top_k, TYPES_TOLD)]
                ]
            }
            | colours_answer(vehicle.attributes.colours)
            | make_model_answer(vehicle.attributes, facts_of, top_k)
            | {"plates": [plate_answer(plate) for plate in vehicle.plates]}
            for vehicle in vehicles
        ],
        "plates": [plate_answer(plate) for plate in others],
    }


def parse_vehicles_answer(obj: object) -> tuple[VehicleBox, ...]:
    """Boxes of a decoded `/vehicles` answer; `ContractError` where it is not as `vehicles_answer` writes it."""
    found = items(field(obj, "vehicles"), "vehicles")
    return tuple(_box(vehicle, f"vehicles[{i}]") for i, vehicle in enumerate(found))


def parse_colours_answer(obj: object) -> tuple[Guess, ...]:
    """Colours of a decoded `/colors` answer, most likely first; `ContractError` as above."""
    return _guesses(obj, "colors", "color", "the answer")


def parse_make_model_answer(obj: object) -> VehicleAttributes:
    """Makes and models of a decoded `/make-model` answer, no colours and types; `ContractError` as above."""
    return _attributes(obj, "the answer", (), ())


def parse_report_answer(obj: object) -> tuple[ReportedVehicle, ...]:
    """Vehicles of a decoded `/vehicle-report` answer; `ContractError` as above.

    Their plates are left out: the routes for plates tell more of them.
    """
    return tuple(
        ReportedVehicle(_box(vehicle, where), _looks(vehicle, where))
        for where, vehicle in ((f"vehicles[{i}]", v) for i, v in enumerate(items(field(obj, "vehicles"), "vehicles")))
    )


def _looks(obj: object, where: str) -> VehicleAttributes:
    return _attributes(obj, where, _guesses(obj, "colors", "color", where), _guesses(obj, "types", "type", where))


def _attributes(obj: object, where: str, colours: tuple[Guess, ...], types: tuple[Guess, ...]) -> VehicleAttributes:
    return VehicleAttributes(
        colours,
        types,
        _guesses(obj, "makes", "make", where),
        _guesses(obj, "models", "model", where, with_make=True),
        _named(field(obj, "make"), f"{where}.make"),
        _named(field(obj, "model"), f"{where}.model"),
        _classes(obj, where),
    )


def _classes(obj: object, where: str) -> tuple[tuple[str, tuple[Guess, ...]], ...]:
    told = obj.get("classes", {}) if isinstance(obj, dict) else {}
    if not isinstance(told, dict):
        raise ContractError(f"{where}.classes is not an object")
    return tuple((_text(head, where), _guesses(told, head, "name", f"{where}.classes")) for head in told)


def _named(obj: object, where: str) -> str | None:
    text = _text(obj, where)
    return None if text == UNKNOWN else text


def _guesses(obj: object, name: str, label: str, where: str, *, with_make: bool = False) -> tuple[Guess, ...]:
    place = f"{where}.{name}"
    return tuple(
        Guess(
            _text(field(guess, label), place),
            probability(field(guess, "prob"), place),
            _text(field(guess, "make"), place) if with_make else "",
        )
        for guess in items(field(obj, name), place)
    )


def _text(obj: object, where: str) -> str:
    if not isinstance(obj, str):
        raise ContractError(f"{where} holds something that is not a string")
    return obj


def _box_answer(box: VehicleBox) -> dict[str, object]:
    return {"box": [box.xmin, box.ymin, box.xmax, box.ymax], "class": box.kind, "score": box.score}


def _box(obj: object, where: str) -> VehicleBox:
    xmin, ymin, xmax, ymax = (number(n, f"{where}.box") for n in items(field(obj, "box"), f"{where}.box", 4))
    kind = _text(field(obj, "class"), f"{where}.class")
    if xmin > xmax or ymin > ymax:
        raise ContractError(f"{where}.box is inside out")
    return VehicleBox(xmin, ymin, xmax, ymax, kind, probability(field(obj, "score"), f"{where}.score"))
