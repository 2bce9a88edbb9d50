from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import ContractError, PlateBox, PlateRead
from cloud_apis.contract.vehicles import (
    Guess,
    ReportedVehicle,
    VehicleAttributes,
    VehicleBox,
    colours_answer,
    make_model_answer,
    parse_colours_answer,
    parse_make_model_answer,
    parse_report_answer,
    parse_vehicles_answer,
    report_answer,
    vehicles_answer,
)
from cloud_apis.web.vehicle_schemas import ColoursAnswer, MakeModelAnswer, ReportAnswer, VehiclesAnswer

COLOURS = tuple(Guess(label, p) for label, p in (("orange", 0.955), ("red", 0.03), ("brown", 0.01), ("white", 0.005)))
MODELS = (Guess("Alto", 0.7, "Suzuki"), Guess("Cultus", 0.2, "Suzuki"), Guess("Mira", 0.1, "Daihatsu"))
LOOKS = VehicleAttributes(
    COLOURS, (Guess("hatchback", 0.9),), (Guess("Suzuki", 0.9), Guess("Daihatsu", 0.1)), MODELS, "Suzuki", "Alto"
)
OWN = VehicleAttributes((), (), (), (), classes=(("class", (Guess("taxi", 0.8), Guess("police", 0.2))),))
BOX = VehicleBox(1, 2, 30, 40, "car", 0.9)


def facts_of(make: str, model: str) -> dict[str, object] | None:
    return {"make": make, "model": model} if model == "Alto" else None


def test_colours_are_answered_exactly_as_clients_expect() -> None:
    answer = json.dumps(colours_answer(COLOURS))
    assert answer == (
        '{"colors": [{"color": "orange", "prob": 0.955}, {"color": "red", "prob": 0.03}, '
        '{"color": "brown", "prob": 0.01}]}'
    )


def test_makes_and_models_are_as_many_as_asked_for_with_their_facts() -> None:
    answer = make_model_answer(LOOKS, facts_of, 2)
    assert (answer["make"], answer["model"]) == ("Suzuki", "Alto")
    assert answer["makes"] == [{"make": "Suzuki", "prob": 0.9}, {"make": "Daihatsu", "prob": 0.1}]
    assert answer["models"] == [
        {"make": "Suzuki", "model": "Alto", "prob": 0.7, "facts": {"make": "Suzuki", "model": "Alto"}},
        {"make": "Suzuki", "model": "Cultus", "prob": 0.2, "facts": None},
    ]


def test_what_is_not_sure_enough_is_unknown() -> None:
    answer = make_model_answer(VehicleAttributes(COLOURS, (), (), ()), facts_of, 5)
    assert answer == {"make": "unknown", "model": "unknown", "makes": [], "models": []}


def test_ones_own_classes_are_told_where_there_are_any() -> None:
    assert "classes" not in make_model_answer(LOOKS, facts_of, 5)
    answer = make_model_answer(OWN, facts_of, 1)
    assert answer["classes"] == {"class": [{"name": "taxi", "prob": 0.8}]}


def test_answers_are_of_the_form_that_is_described() -> None:
    plate = PlateRead(PlateBox(5, 6, 9, 8, 0.5, (0.9,)), ())
    report = report_answer([ReportedVehicle(BOX, LOOKS, (plate,))], [plate], facts_of, 5)
    VehiclesAnswer.model_validate(vehicles_answer([BOX]), extra="forbid")
    ColoursAnswer.model_validate(colours_answer(COLOURS), extra="forbid")
    MakeModelAnswer.model_validate(make_model_answer(LOOKS, facts_of, 5), extra="forbid")
    MakeModelAnswer.model_validate(make_model_answer(OWN, facts_of, 5), extra="forbid")
    ReportAnswer.model_validate(report, extra="forbid")


coordinate = st.floats(0, 5000)


@given(
    st.lists(
        st.builds(
            lambda x, y, w, h, kind, score: VehicleBox(x, y, x + w, y + h, kind, score),
            coordinate, coordinate, coordinate, coordinate, st.sampled_from(["car", "bus"]), st.floats(0, 1),
        )
    )
)  # fmt: skip
def test_boxes_survive_the_way_over_json(boxes: list[VehicleBox]) -> None:
    assert parse_vehicles_answer(json.loads(json.dumps(vehicles_answer(boxes)))) == tuple(boxes)


@pytest.mark.parametrize(
    ("vehicle", "place"),
    [
        ({"class": "car", "score": 0.5}, "box"),
        ({"box": [1, 2, 3], "class": "car", "score": 0.5}, "box"),
        ({"box": [9, 2, 3, 4], "class": "car", "score": 0.5}, "inside out"),
        ({"box": [1, 2, 3, 4], "class": 7, "score": 0.5}, "class"),
        ({"box": [1, 2, 3, 4], "class": "car", "score": 1.5}, "score"),
        ("car", "box"),
    ],
)
def test_answers_of_another_form_are_refused(vehicle: object, place: str) -> None:
    with pytest.raises(ContractError, match=place):
        parse_vehicles_answer({"vehicles": [vehicle]})


guess = st.builds(Guess, st.text(max_size=9), st.floats(0, 1))
model = st.builds(Guess, st.text(max_size=9), st.floats(0, 1), st.text(max_size=9))
classes = st.dictionaries(st.text(max_size=9), st.lists(guess, max_size=5).map(tuple), max_size=2)
name = st.none() | st.text(min_size=1, max_size=9).filter(lambda text: text != "unknown")
looks = st.builds(
    VehicleAttributes,
    st.lists(guess, max_size=3).map(tuple), st.lists(guess, max_size=5).map(tuple),
    st.lists(guess, max_size=5).map(tuple), st.lists(model, max_size=5).map(tuple), name, name,
    classes.map(lambda heads: tuple(heads.items())),
)  # fmt: skip


@given(st.lists(looks, max_size=3))
def test_what_vehicles_look_like_survives_the_way_over_json(seen: list[VehicleAttributes]) -> None:
    vehicles = tuple(ReportedVehicle(BOX, each) for each in seen)
    assert parse_report_answer(json.loads(json.dumps(report_answer(vehicles, [], facts_of, 5)))) == vehicles
    for each in seen:
        told = parse_make_model_answer(json.loads(json.dumps(make_model_answer(each, facts_of, 5))))
        assert told == replace(each, colours=(), types=())
        assert parse_colours_answer(json.loads(json.dumps(colours_answer(each.colours)))) == each.colours


@pytest.mark.parametrize(
    ("part", "wrong", "place"),
    [
        ("make", None, "make holds something that is not a string"),
        ("models", [{"make": "Suzuki", "prob": 1}], "a field 'model'"),
        ("models", [{"make": 4, "model": "Alto", "prob": 1}], "models holds something that is not a string"),
        ("types", [{"type": "van", "prob": 2}], "types holds a score outside"),
        ("colors", {"color": "red"}, "colors is not a list"),
        ("classes", ["taxi"], "classes is not an object"),
        ("classes", {"class": [{"name": 4, "prob": 1}]}, "classes.class holds something that is not a string"),
    ],
)
def test_looks_of_another_form_are_refused(part: str, wrong: object, place: str) -> None:
    answer = json.loads(json.dumps(report_answer([ReportedVehicle(BOX, LOOKS)], [], facts_of, 5)))
    answer["vehicles"][0][part] = wrong
    with pytest.raises(ContractError, match=place):
        parse_report_answer(answer)
