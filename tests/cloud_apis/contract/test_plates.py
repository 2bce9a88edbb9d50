"""The contract: what one side writes, the other reads back; anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.contract import (
    ContractError,
    PlateBox,
    PlateRead,
    Word,
    crnn_answer,
    error_body,
    parse_crnn_answer,
    parse_yolov3_answer,
    plate_confidence,
    plate_text,
    reader_answer,
    yolov3_answer,
)

pixel = st.floats(-1e5, 1e5)
probability = st.floats(0, 1)
points = st.tuples(pixel, pixel)


@st.composite
def boxes(draw: st.DrawFn) -> PlateBox:
    xmin, xmax = sorted((draw(pixel), draw(pixel)))
    ymin, ymax = sorted((draw(pixel), draw(pixel)))
    scores = tuple(draw(st.lists(probability, min_size=1, max_size=3)))
    return PlateBox(xmin, ymin, xmax, ymax, draw(probability), scores)


@st.composite
def words(draw: st.DrawFn) -> Word:
    text = draw(st.text("AB12é", max_size=4))
    quad = (draw(points), draw(points), draw(points), draw(points))
    return Word(text, quad, tuple(draw(probability) for _ in text))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.sampled_from(["boxes", "license-plates", "confidences", "plate-confidences", "x"]), inner, max_size=3
        )
    ),
    max_leaves=30,
)


@given(st.lists(boxes(), max_size=4))
def test_boxes_survive_the_wire(sent: list[PlateBox]) -> None:
    assert parse_yolov3_answer(json.loads(json.dumps(yolov3_answer(sent)))) == tuple(sent)


@given(st.lists(st.lists(words(), max_size=2), max_size=2))
def test_words_survive_the_wire(sent: list[list[Word]]) -> None:
    received = parse_crnn_answer(json.loads(json.dumps(crnn_answer(sent))), len(sent))
    assert received == tuple(tuple(crop) for crop in sent)


@given(st.lists(st.tuples(probability, st.lists(words(), min_size=1, max_size=2)), max_size=2))
def test_plate_confidences_travel_with_the_words(plates: list[tuple[float, list[Word]]]) -> None:
    sent = [tuple(replace(word, plate_confidence=p) for word in crop) for p, crop in plates]
    answer = json.loads(json.dumps(crnn_answer(sent)))
    assert parse_crnn_answer(answer, len(sent)) == tuple(sent)
    assert answer["plate-confidences"] == [p for p, _ in plates]
    # An API of the first version does not send them.
    del answer["plate-confidences"]
    old = parse_crnn_answer(answer, len(sent))
    assert [plate_confidence(crop) for crop in old] == [min(w.confidence for w in crop) for _, crop in plates]


@pytest.mark.parametrize("told", [None, [], [2], ["x"], [0.5, 0.5], 0.5, [True]])
def test_plate_confidences_of_another_form_are_refused(told: object) -> None:
    with pytest.raises(ContractError, match="plate-confidences"):
        parse_crnn_answer({"license-plates": [[]], "confidences": [[]], "plate-confidences": told}, 1)


@given(anything)
def test_any_other_answer_raises_nothing_but_a_contract_error(obj: object) -> None:
    for parse in (parse_yolov3_answer, lambda o: parse_crnn_answer(o, 1)):
        try:
            parse(obj)
        except ContractError as error:
            assert str(error)


GOOD_BOX = [1, 2, 3, 4, 0.5, [0.9]]


@pytest.mark.parametrize(
    "box",
    [
        [1, 2, 3, 4, 0.5],
        [1, 2, 3, 4, 0.5, 0.9],
        [1, 2, 3, 4, 0.5, []],
        [1, 2, 3, 4, 1.5, [0.9]],
        [1, 2, 3, 4, 0.5, [-0.1]],
        [3, 2, 1, 4, 0.5, [0.9]],
        [1, 2, float("nan"), 4, 0.5, [0.9]],
        [1, 2, float("inf"), 4, 0.5, [0.9]],
        [1, 2, 10**400, 4, 0.5, [0.9]],
        [True, 2, 3, 4, 0.5, [0.9]],
        ["1", 2, 3, 4, 0.5, [0.9]],
        {"xmin": 1},
        None,
    ],
)
def test_a_box_of_another_form_is_refused(box: object) -> None:
    assert len(parse_yolov3_answer({"boxes": [GOOD_BOX]})) == 1
    with pytest.raises(ContractError, match=r"boxes\[1\]"):
        parse_yolov3_answer({"boxes": [GOOD_BOX, box]})


@pytest.mark.parametrize("answer", [None, [], {}, {"boxes": None}, {"boxes": {}}, "boxes", 3])
def test_an_answer_of_another_form_is_refused(answer: object) -> None:
    with pytest.raises(ContractError):
        parse_yolov3_answer(answer)
    with pytest.raises(ContractError):
        parse_crnn_answer(answer, 0)


QUAD = [[0, 0], [9, 0], [9, 5], [0, 5]]


@pytest.mark.parametrize(
    ("word", "confidences"),
    [
        (["AB", QUAD], [0.9]),
        (["AB", QUAD], [0.9, 1.1]),
        (["AB", QUAD], "ab"),
        (["AB", QUAD[:3]], [0.9, 0.8]),
        (["AB", [[0], [1], [2], [3]]], [0.9, 0.8]),
        ([3, QUAD], [0.9]),
        (["AB"], [0.9, 0.8]),
    ],
)
def test_a_word_of_another_form_is_refused(word: object, confidences: object) -> None:
    with pytest.raises(ContractError, match=r"\[0\]\[0\]"):
        parse_crnn_answer({"license-plates": [[word]], "confidences": [[confidences]]}, 1)


def test_an_answer_for_another_number_of_crops_is_refused() -> None:
    with pytest.raises(ContractError, match="1 elements instead of 2"):
        parse_crnn_answer(crnn_answer([[]]), 2)


def test_confidence_is_that_of_the_weakest_character() -> None:
    top = Word("B", ((0, 0), (1, 0), (1, 1), (0, 1)), (0.7,))
    bottom = Word("12", ((0, 1), (1, 1), (1, 2), (0, 2)), (0.9, 0.4))
    assert bottom.confidence == 0.4
    assert Word("", top.quad, ()).confidence == 0.0
    assert plate_text([top, bottom]) == "B12"
    assert plate_confidence([top, bottom]) == 0.4
    assert plate_confidence([]) == 0.0


def test_the_reader_answer_names_its_fields() -> None:
    word = Word("B", ((0, 0), (1, 0), (1, 1), (0, 1)), (0.7,))
    box = PlateBox(1, 2, 3, 4, 0.8, (0.5, 1.0))
    assert reader_answer([PlateRead(box, (word,))]) == {
        "plates": [
            {
                "box": [1, 2, 3, 4],
                "score": 0.8,
                "text": "B",
                "confidence": 0.7,
                "words": [{"text": "B", "quad": [[0, 0], [1, 0], [1, 1], [0, 1]], "confidences": [0.7]}],
            }
        ]
    }
    assert error_body("busy", "come back later") == {"error": {"code": "busy", "message": "come back later"}}
