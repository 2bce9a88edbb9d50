"""Generated pictures of "cars" whose colour and form are the labels."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

COLOURS = {"red": (30, 30, 200), "blue": (200, 60, 30), "white": (235, 235, 235)}
MODELS = (("ford", "focus"), ("ford", "transit"), ("kia", "rio"))


@pytest.fixture(scope="session")
def car_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of 90 generated cars with boxes, colour, make and model; some cells are empty."""
    folder = tmp_path_factory.mktemp("cars")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(90):
        colour = list(COLOURS)[number % 3]
        make, model = MODELS[number // 3 % 3]
        # A street of its own behind each car: pictures that are alike are held out together, or not at all.
        street = cv2.resize(rng.integers(0, 256, (6, 8), dtype=np.uint8), (128, 96))
        picture = cv2.cvtColor(street, cv2.COLOR_GRAY2BGR).astype(np.uint8)
        height = {"focus": 30, "transit": 60, "rio": 15}[model]
        cv2.rectangle(picture, (30, 80 - height), (100, 80), COLOURS[colour], -1)
        file = f"{number}.png"
        cv2.imwrite(str(folder / file), picture)
        known = [
            colour if number % 10 else "",
            make if number % 11 else "",
            model if number % 7 and number % 11 else "",
        ]
        rows.append([file, 28, 75 - height, 102, 85, *known])
    table = folder / "cars.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "xmin", "ymin", "xmax", "ymax", "colour", "make", "model"))
        writer.writerows(rows)
    return table
