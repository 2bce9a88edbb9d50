"""What answers about vehicles look like, for the OpenAPI page. Handlers write the answers themselves."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from cloud_apis.web.schemas import ReadPlate

_PROB = "the chance that it is right, 0..1"


class FoundVehicle(BaseModel):
    """A vehicle found."""

    box: tuple[float, float, float, float] = Field(description="xmin, ymin, xmax, ymax in pixels of the picture sent")
    class_: str = Field(alias="class", description="car, truck, bus or motorcycle")
    score: float = Field(description="objectness times class score, 0..1")


class VehiclesAnswer(BaseModel):
    """Vehicles found in a picture."""

    vehicles: list[FoundVehicle]


class Colour(BaseModel):
    """A colour that a car may have."""

    color: str
    prob: float = Field(description=_PROB)


class ColoursAnswer(BaseModel):
    """The likeliest colours of a car."""

    colors: list[Colour] = Field(description="three, most likely first")


class VehicleType(BaseModel):
    """A type that a vehicle may have."""

    type: str
    prob: float = Field(description=_PROB)


class Make(BaseModel):
    """A make that a car may have."""

    make: str
    prob: float = Field(description=_PROB)


class CarModel(BaseModel):
    """A model that a car may be."""

    make: str
    model: str
    prob: float = Field(description=_PROB)
    facts: dict[str, Any] | None = Field(description="what is known of the model, with sources; null: nothing")


class OwnClass(BaseModel):
    """A class of one's own that a car may have."""

    name: str
    prob: float = Field(description=_PROB)


class MakeModelAnswer(BaseModel):
    """The likeliest makes and models of a car."""

    make: str = Field(description="the make, or unknown where none is sure enough")
    model: str = Field(description="the model, or unknown where none is sure enough")
    makes: list[Make]
    models: list[CarModel]
    classes: dict[str, list[OwnClass]] | None = Field(
        default=None,
        description="classes of one's own, likeliest first, by the name of their head; absent where the model has none",
    )


class ReportedVehicle(FoundVehicle, MakeModelAnswer):
    """A vehicle with all that is known of it."""

    types: list[VehicleType] = Field(description="three, or top_k where that is more, most likely first")
    colors: list[Colour] = Field(description="three, most likely first")
    plates: list[ReadPlate] = Field(description="plates whose centre lies in the vehicle's box")


class ReportAnswer(BaseModel):
    """All vehicles of a picture."""

    vehicles: list[ReportedVehicle] = Field(description="largest first")
    plates: list[ReadPlate] = Field(description="plates that belong to no vehicle found")
