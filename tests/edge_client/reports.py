"""Answers of the vehicle report for tests, written by the contract itself."""

from __future__ import annotations

from cloud_apis.contract.vehicles import Guess, ReportedVehicle, VehicleAttributes, VehicleBox, report_answer


def described(
    box: tuple[float, float, float, float],
    *,
    colour: tuple[str, float] = ("red", 0.9),
    type_: tuple[str, float] = ("hatchback", 0.8),
    make: str | None = "suzuki",
    model: str | None = "swift",
    chance: float = 0.7,
    kind: str = "car",
) -> ReportedVehicle:
    """A vehicle at a box (xmin, ymin, xmax, ymax); the best guesses are there also where none is named."""
    return ReportedVehicle(
        VehicleBox(*box, kind, 0.9),
        VehicleAttributes(
            (Guess(*colour), Guess("beige", 0.01)),
            (Guess(*type_), Guess("wagon", 0.01)),
            (Guess(make or "fiat", chance),),
            (Guess(model or "500", chance, make or "fiat"),),
            make,
            model,
        ),
    )


def report(*vehicles: ReportedVehicle) -> dict[str, object]:
    """The answer with these vehicles."""
    return report_answer(vehicles, [], lambda _make, _model: None, 1)
