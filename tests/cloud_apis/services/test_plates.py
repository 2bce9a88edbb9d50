from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from cloud_apis.contract import PlateBox, Word, plate_text
from cloud_apis.reader import Reader
from cloud_apis.services.plates import read_plates
from cloud_apis.yolov3.detector import Detector

SURE, UNSURE = PlateBox(10, 20, 50, 30, 0.9, (1.0,)), PlateBox(100, 20, 180, 40, 0.8, (1.0,))
QUAD = ((1.0, 1.0), (9.0, 1.0), (9.0, 5.0), (1.0, 5.0))
Crops = Sequence[NDArray[np.uint8]]


def word(text: str, chance: float) -> Word:
    return Word(text, QUAD, (chance,) * len(text), chance)


class Scripted:
    """Finds two plates; reads what the script says, request by request."""

    def __init__(self, *answers: list[tuple[Word, ...]]) -> None:
        self.answers = list(answers)
        self.asked: list[list[tuple[int, int]]] = []

    def find(self, _grey: NDArray[np.uint8]) -> tuple[PlateBox, ...]:
        return SURE, UNSURE

    def read(self, crops: Crops) -> list[tuple[Word, ...]]:
        self.asked.append([(crop.shape[0], crop.shape[1]) for crop in crops])
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("first", "again", "told", "left_px"),
    [
        (("B12CDE", 0.7), ("AB12CDE", 0.9), "AB12CDE", 80),  # a quarter of the width beside the box
        (("AB12CDE", 0.7), ("AB12CDE1", 0.4), "AB12CDE", 97),  # 0.15 of the height
    ],
)
def test_an_unsure_plate_is_read_again_with_more_around_it(
    first: tuple[str, float], again: tuple[str, float], told: str, left_px: int
) -> None:
    apis = Scripted([(word("ZZ99", 0.95),), (word(*first),)], [(word(*again),)])
    grey = np.zeros((100, 300), np.uint8)
    plates = read_plates(cast(Detector, apis), cast(Reader, apis), grey)
    assert [plate_text(plate.words) for plate in plates] == ["ZZ99", told]
    assert apis.asked == [[(14, 44), (26, 86)], [(26, 120)]]
    assert plates[1].words[0].quad[0][0] == left_px + 1


def test_sure_plates_are_read_once() -> None:
    apis = Scripted([(word("ZZ99", 0.95),), (word("AB12CDE", 0.8),)])
    read_plates(cast(Detector, apis), cast(Reader, apis), np.zeros((100, 300), np.uint8))
    assert len(apis.asked) == 1
