"""Recordings and models are small fakes here; tracking, choosing and voting are the device's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

from cloud_apis.contract import PlateBox, Word
from edge_client.config import DetectionSettings, EdgeSettings
from edge_client.types import Image
from tools.bench.consensus_data import Picture, Recording, recordings
from tools.bench.consensus_replay import Outcome, Policy, replay, varied

QUAD = ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0))
TEXTS = {1: "AB12CDE", 2: "XY98ZZZ"}
FRAMES = 40
SETTINGS = EdgeSettings()
POLICIES = [Policy("every", SETTINGS, every=True), Policy("budget", SETTINGS)]


def place(plate: int, number: int) -> PlateBox:
    x, width = 100.0 + 400 * (plate - 1) + number, 80.0 + 2 * number
    return PlateBox(x, 100.0, x + width, 100.0 + width / 4, 0.9, (0.95,))


class TwoCars(Recording):
    """Two plates side by side that come nearer; the brightness of a plate says which one it is."""

    def pictures(self) -> Iterator[Picture]:
        random = np.random.default_rng(5)
        for number in range(FRAMES):
            image = random.integers(60, 66, (300, 900, 3), dtype=np.uint8)
            for plate, text in TEXTS.items():
                b = place(plate, number)
                part = image[int(b.ymin) : int(b.ymax), int(b.xmin) : int(b.xmax)]
                part[:] = 100 * plate
                cv2.putText(part, text, (4, part.shape[0] - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1)
            yield Picture(number / 10, image, tuple((place(p, number), text) for p, text in TEXTS.items()))


class Models:
    """Finds every plate but some, and reads small ones wrongly."""

    def __init__(self) -> None:
        self.number = -1
        self.asked = 0

    def detect(self, image: Image, settings: DetectionSettings) -> tuple[PlateBox, ...]:
        self.number += 1
        return tuple(place(p, self.number) for p in TEXTS if (self.number + 3 * p) % 5)

    def read(self, crops: Sequence[bytes]) -> list[tuple[Word, ...]]:
        self.asked += len(crops)
        return [self._read(crop) for crop in crops]

    def _read(self, crop: bytes) -> tuple[Word, ...]:
        image = simplejpeg.decode_jpeg(crop, colorspace="GRAY")
        confidence = 0.97 if image.shape[1] > 100 else 0.4
        text = "JUNK" if confidence < 0.5 else TEXTS[1 if float(np.median(image)) < 150 else 2]
        return (Word(text, QUAD, (confidence,) * len(text), confidence),)


def outcomes(policies: Sequence[Policy]) -> list[Outcome]:
    recording = TwoCars("drive", "cars", (), plates=frozenset(TEXTS.values()))
    return replay(recording, policies, Models())  # type: ignore[arg-type]


def test_the_budget_asks_far_less_and_reads_the_same() -> None:
    every, budget = outcomes(POLICIES)
    assert every.requests == sum(bool((n + 3 * p) % 5) for n in range(FRAMES) for p in TEXTS)
    assert budget.requests * 5 <= every.requests
    for outcome in (every, budget):
        assert (outcome.tracks, outcome.legible, outcome.tracks_right) == (2, 2, 2)
        assert (outcome.plates, outcome.plates_right, outcome.wrong, outcome.missed) == (2, 2, (), ())
        assert outcome.crop_says_so == outcome.stored == 2


def test_settings_of_a_policy_count() -> None:
    (starved,) = outcomes([Policy("starved", varied(SETTINGS, min_gain=1.0))])
    assert (starved.requests, starved.plates_right, starved.missed) == (0, 0, tuple(sorted(TEXTS.values())))


def test_outcomes_add_up() -> None:
    one = Outcome(3, 2, 1, 10, 4, 2, 3, ("A",), ("B",), 1)
    assert one + one == Outcome(6, 4, 2, 20, 8, 4, 6, ("A", "A"), ("B", "B"), 2)


def test_pictures_come_by_drive_and_second_with_their_labels(tmp_path: Path) -> None:
    folder = tmp_path / "plates"
    (folder / "ro_dashcam").mkdir(parents=True)
    names = ["ro_dashcam/a.mp4_t_12.png", "ro_dashcam/a.mp4_t_9.png", "ro_dashcam/b.mp4_t_1.png"]
    for name in names:
        cv2.imwrite(str(folder / name), np.full((20, 40, 3), 50, np.uint8))
    images = [{"id": n, "file_name": name} for n, name in enumerate(names)]
    labels = [
        {"image_id": 1, "bbox": [10, 5, 20, 5], "text": "AB/12"},
        {"image_id": 1, "bbox": [0, 0, 4, 1], "illegible": True},
    ]
    for split, content in (
        ("train", {"images": images, "annotations": labels}),
        ("val", {"images": [], "annotations": []}),
    ):
        (folder / f"ro_dashcam_{split}.json").write_text(json.dumps(content))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "truth.csv").write_text("clip,plates\nnone.avi,AB1 CD2\n")
    first, second, clip = recordings(tmp_path)
    assert (first.name, second.name, sorted(clip.plates)) == ("a (train)", "b (train)", ["AB1", "CD2"])
    early, late = first.pictures()
    assert (early.time_s, late.time_s, sorted(first.plates)) == (9.0, 12.0, ["AB12"])
    assert early.label_of(PlateBox(11, 5, 29, 10, 1.0, (1.0,))) == "AB12"
    assert early.label_of(PlateBox(0, 0, 4, 1, 1.0, (1.0,))) == ""
    assert late.label_of(PlateBox(11, 5, 29, 10, 1.0, (1.0,))) is None
    with pytest.raises(OSError, match=r"none\.avi"):
        list(clip.pictures())
