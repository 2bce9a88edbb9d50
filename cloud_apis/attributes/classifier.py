"""The classifier: pictures of cars in, colour, type, view, make and model out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_apis.attributes.heads import HeadManifest, heads_of, output_names
from cloud_apis.attributes.postprocess import answer, makes_of, named, softmax
from cloud_apis.attributes.preprocess import HEIGHT_PX, SQUARE_PX, WIDTH_PX, centre_square, network_input, resized
from cloud_apis.attributes.result import CarAttributes, Choice, ModelChoice
from cloud_apis.session import Model, load_model

MODEL = "attributes"


class Classifier:
    """Says what a car is; `classify` and `colours` may be called from several threads at once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._heads = heads_of(model.manifest)

    @property
    def heads(self) -> Mapping[str, HeadManifest]:
        """The heads by name."""
        return {head.name: head for head in self._heads}

    def warm_up(self) -> None:
        """Run the network once in each of its sizes, so that the first request finds it ready."""
        for height, width in ((HEIGHT_PX, WIDTH_PX), (SQUARE_PX, SQUARE_PX)):
            self.model.run(np.zeros((1, 3, height, width), np.float32))

    def classify(self, crop: NDArray[np.uint8], top_k: int = 5) -> CarAttributes:
        """What the car in a crop is: BGR uint8 (H, W, 3) of any size, best cut by `preprocess.crop_of`.

        Lists hold at most `top_k` classes, best first.
        """
        return self._say(self._logits(resized(crop)), top_k)

    def colours(self, picture: NDArray[np.uint8], top_k: int = 3) -> tuple[Choice, ...]:
        """The likeliest colours of the car in a picture of any size, BGR uint8 (H, W, 3), of which the middle square
        is looked at, as 224×224 pixels."""
        logits = self._logits(resized(centre_square(picture), SQUARE_PX, SQUARE_PX))
        return self._say(logits, top_k).colours

    def _logits(self, bgr: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        outputs = self.model.run(network_input(bgr[:, :, ::-1]))
        return {head.name: output[0] for head, output in zip(self._heads, outputs, strict=True)}

    def _say(self, logits: Mapping[str, NDArray[np.float32]], top_k: int) -> CarAttributes:
        heads = self.heads
        shares = {name: softmax(values, heads[name].temperature) for name, values in logits.items()}
        if "make" in heads and "model" in heads:
            shares["make"] = makes_of(shares["make"], shares["model"], heads["make"].labels, heads["model"].labels)
        found = {name: named(share, heads[name].labels, top_k) for name, share in shares.items()}
        said = {name: answer(choices, heads[name].least) for name, choices in found.items()}
        models = tuple(_model_of(choice) for choice in found.get("model", ()))
        make = said.get("make", "unknown")
        # A model is answered together with its make alone, or the two would contradict each other.
        fits = bool(models) and models[0].make == make and said["model"] != "unknown"
        return CarAttributes(
            colours=found.get("colour", ()),
            types=found.get("type", ()),
            views=found.get("view", ()),
            makes=found.get("make", ()),
            models=models,
            colour=said.get("colour", "unknown"),
            type=said.get("type", "unknown"),
            view=said.get("view", "unknown"),
            make=make,
            model=models[0].model if fits else "unknown",
        )


def _model_of(choice: Choice) -> ModelChoice:
    make, _, model = choice.label.partition("/")
    return ModelChoice(make, model, choice.prob)


def load_classifier(folder: Path, *, threads: int = 1, providers: tuple[str, ...] = ()) -> Classifier:
    """Load the model `attributes` from a folder; raises `StartError`."""
    return Classifier(load_model(folder, MODEL, output_names, threads=threads, providers=providers))
