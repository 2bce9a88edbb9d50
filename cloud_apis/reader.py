"""The reader: plate crops in, words out. It joins the text line finder and the recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.contract import Quad, Word
from cloud_apis.craft.finder import LineFinder, load_finder
from cloud_apis.crnn.plates import DIGITS, PlateDecoder
from cloud_apis.crnn.postprocess import LineReading
from cloud_apis.crnn.preprocess import MARGIN_X, MARGIN_Y
from cloud_apis.crnn.recogniser import Recogniser, load_recogniser
from cloud_apis.crnn.regions import load_regions
from cloud_apis.settings import ApiSettings

SURE_LINE = 0.85
DOUBTFUL_LINE = 0.45
"""Beside a line read at least so surely, one with a character below the latter is not Latin text (seals, Arabic)."""


class Reader:
    """Reads plates: finds the lines of each crop, straightens them and recognises their characters."""

    def __init__(self, finder: LineFinder, recogniser: Recogniser, decoder: PlateDecoder | None = None) -> None:
        self.finder = finder
        self.recogniser = recogniser
        self._decoder = decoder or PlateDecoder()

    def warm_up(self) -> None:
        """Run both networks once, so that the first request finds them ready."""
        self.read([np.zeros((32, 128), np.uint8)])

    def read(self, crops: Sequence[NDArray[np.uint8]]) -> list[tuple[Word, ...]]:
        """Words per crop in reading order (top line first); corners are in crop pixels.

        Crops are grey, uint8 (height, width). One in which no line is found is read as a whole. Lines on which no
        character is recognised, or of which it is doubtful beside a sure line, are left out. Each word also has
        the confidence of its whole plate.
        """
        lines = [found or [_whole(crop)] for found, crop in zip(self.finder.find(crops), crops, strict=True)]
        owners = [i for i, found in enumerate(lines) for _ in found]
        quads = [quad for found in lines for quad in found]
        read = iter(self.recogniser.read_lines([(crops[i], quad) for i, quad in zip(owners, quads, strict=True)]))
        return [self._words(found, [next(read) for _ in found]) for found in lines]

    def _words(self, quads: Sequence[NDArray[np.float32]], lines: Sequence[LineReading]) -> tuple[Word, ...]:
        kept, doubt = registration_lines(lines)
        reading = self._decoder.read([lines[number] for number in kept])
        confidence = round(reading.confidence * (1 - doubt), DIGITS)
        return tuple(
            Word(text, _points(quads[number]), confidences, confidence)
            for number, (text, confidences) in zip(kept, reading.lines, strict=True)
            if text
        )


def registration_lines(lines: Sequence[LineReading]) -> tuple[list[int], float]:
    """Which lines of a plate are its registration, and the doubt (0..1) that leaving out the others brings.

    Other scripts and seals are sometimes found as lines of their own; the recogniser makes little of them.
    """
    doubtful = {n: line.sureness for n, line in enumerate(lines) if line.text and line.sureness < DOUBTFUL_LINE}
    if not any(line.sureness >= SURE_LINE for line in lines):
        doubtful = {}
    return [number for number in range(len(lines)) if number not in doubtful], max(doubtful.values(), default=0.0)


def load_reader(folder: Path, settings: ApiSettings) -> Reader:
    """Load the models `craft` and `crnn` from a folder; raises `StartError`."""
    recogniser = load_recogniser(folder, settings.crnn)
    calibration = recogniser.model.manifest.calibration if settings.crnn.calibrated else None
    decoder = PlateDecoder(calibration, load_regions(settings.crnn.regions))
    return Reader(load_finder(folder, settings.craft), recogniser, decoder)


def _whole(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Corners that the recogniser, which looks a little beyond them, sees as exactly the whole crop."""
    height, width = crop.shape
    inner = height / (1 + 2 * MARGIN_Y)
    left, top = min(MARGIN_X * inner, 0.4 * width), MARGIN_Y * inner
    right, bottom = width - left, height - top
    # Pixel centres lie at whole numbers, so the crop reaches from -0.5.
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32) - np.float32(0.5)


def _points(quad: NDArray[np.float32]) -> Quad:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.astype(float).round(2).tolist()
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)
