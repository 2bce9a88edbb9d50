"""The classifier: pictures of cars in, colour, type, make and model out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cloud_apis.attributes.heads import HeadManifest, heads_of, output_names
from cloud_apis.attributes.postprocess import makes_of, named, softmax, sure
from cloud_apis.attributes.preprocess import HEIGHT_PX, SQUARE_PX, WIDTH_PX, centre_square, network_input, resized
from cloud_apis.contract.vehicles import Guess, VehicleAttributes
from cloud_apis.session import Model, load_model

MODEL: Final = "attributes"
KNOWN: Final = frozenset({"colour", "type", "view", "make", "model"})
"""The heads of the shipped model; others are one's own, and answered as `classes`."""


class Classifier:
    """Says what a car is; all but `warm_up` may be called from several threads at once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._heads = heads_of(model.manifest)
        self._by_name = {head.name: head for head in self._heads}

    @property
    def heads(self) -> Mapping[str, HeadManifest]:
        """The heads by name."""
        return self._by_name

    def warm_up(self) -> None:
        """Run the network once in each of its sizes, so that the first request finds it ready."""
        for height, width in ((HEIGHT_PX, WIDTH_PX), (SQUARE_PX, SQUARE_PX)):
            self.model.run(np.zeros((1, 3, height, width), np.float32))

    def classify(self, crop: NDArray[np.uint8], top_k: int = 5) -> VehicleAttributes:
        """What the car in a crop is: BGR uint8 (H, W, 3) of any size, cut by `preprocess.crop_of` if from a picture.

        Each list holds at most `top_k` guesses, best first, with calibrated probabilities; it is empty where the
        model has no such head. Heads of one's own are told as classes. Make and model are named where they are as
        likely as the manifest wants it, the model together with its make alone.
        """
        found = self.guesses(crop, top_k)
        makes, models = found.get("make", ()), found.get("model", ())
        make = sure(makes, self._least("make"))
        model = sure(models, self._least("model"))
        fits = model is not None and models[0].make == make
        return VehicleAttributes(
            colours=found.get("colour", ()),
            types=found.get("type", ()),
            makes=makes,
            models=models,
            make=make,
            model=model if fits else None,
            classes=tuple((name, guesses) for name, guesses in found.items() if name not in KNOWN),
        )

    def colours(self, picture: NDArray[np.uint8], top_k: int = 3) -> tuple[Guess, ...]:
        """The likeliest colours of the car in a picture of any size, BGR uint8 (H, W, 3).

        The largest square in the picture's middle is looked at, as 224×224 pixels.
        """
        shares = self._shares(resized(centre_square(picture), SQUARE_PX, SQUARE_PX))
        return named(shares["colour"], self._by_name["colour"].labels, top_k) if "colour" in shares else ()

    def guesses(self, crop: NDArray[np.uint8], top_k: int = 5) -> dict[str, tuple[Guess, ...]]:
        """The likeliest classes of every head, also of heads that are one's own; the crop as `classify` takes it."""
        shares = self._shares(resized(crop))
        return {
            name: named(values, self._by_name[name].labels, top_k, whole=name not in KNOWN)
            for name, values in shares.items()
        }

    def _shares(self, bgr: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        outputs = self.model.run(network_input(bgr[:, :, ::-1]))
        shares = {
            head.name: softmax(output[0], head.temperature) for head, output in zip(self._heads, outputs, strict=True)
        }
        if "make" in shares and "model" in shares:
            labels, fine = self._by_name["make"].labels, self._by_name["model"].labels
            shares["make"] = makes_of(shares["make"], shares["model"], labels, fine)
        return shares

    def _least(self, name: str) -> float:
        return self._by_name[name].least if name in self._by_name else 1.0


def load_classifier(folder: Path, *, threads: int = 1, providers: Sequence[str] = ()) -> Classifier:
    """Load the model `attributes` from a folder; raises `StartError`."""
    return Classifier(load_model(folder, MODEL, output_names, threads=threads, providers=providers))
