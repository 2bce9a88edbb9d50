"""The model card of the vehicle detector, from what the run and the manifest know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tools.training.attributes.card import BACKBONE_SOURCE
from tools.training.common.card import VEHICLE_PHOTOS, Card, Figures, Source, write_card
from tools.training.vehicles.dataset import HAND_MADE, MACHINE_MADE, Sample
from tools.training.vehicles.export import NAME
from tools.training.vehicles.network import LABELS
from tools.training.vehicles.plan import Plan
from tools.training.vehicles.train import SOURCE_WEIGHTS

ORIGINS = {
    **VEHICLE_PHOTOS,
    "attributes": (
        "photos of the plates' sets, boxes by a small COCO detector",
        "as the plates' sets, see yolov3.md; some of open_lpr's photos carry agency or marketplace watermarks",
    ),
}


def write_cards(
    target: Path,
    kept: Sequence[Sample],
    dev: Sequence[Sample],
    plan: Plan,
    command: str,
    figures: Sequence[Figures] = (),
) -> Path:
    """Write the card beside the model and its manifest."""
    manifest = json.loads((target / f"{NAME}.json").read_text(encoding="utf-8"))
    rows = [
        (precision, *(one[label] for label in (*LABELS, "mean"))) for precision, one in manifest["dev_ap50"].items()
    ]
    sources = [
        Source(ORIGINS[source][0], ORIGINS[source][1], f"{count} pictures, drawn with weight {SOURCE_WEIGHTS[source]}")
        for source in (*HAND_MADE, MACHINE_MADE)
        if (count := sum(sample.source == source for sample in kept))
    ]
    card = Card(
        name=NAME,
        title="cars, trucks, buses and motorcycles in a picture",
        summary="A YOLOv3 in colour on a pretrained backbone. A motorcycle's box holds its rider; people are none.",
        seed=plan.seed,
        sources=[BACKBONE_SOURCE, *sources],
        commands=[command],
        data=[
            f"{len(kept)} pictures to train on; {len(dev)} with hand-made boxes, chosen by a hash of their names, were "
            "held out. Machine-made boxes with a score under 0.4 were painted out, the others taken as they are. No "
            "picture of these is part of this repository."
        ],
        figures=[
            *figures,
            Figures(
                f"AP@0.5 on the {len(dev)} pictures held out, which chose the checkpoint:",
                ("precision", *LABELS, "mean"),
                rows,
            ),
        ],
        limits=[
            "The traffic pictures are of a few cameras, and neighbouring ones are alike: figures on them flatter. "
            "Vehicles under about 12 pixels at the input of 416 are mostly missed. Minibuses are cars in some sources "
            "and buses in others.",
        ],
        facts={
            "network": "YOLOv3 heads at strides 8, 16, 32, nine anchors by k-means, on EfficientNet-Lite0 "
            "without its last layer",
            "steps": f"{manifest['trained_steps']}, batches of {plan.batch}",
        },
    )
    return write_card(card, target)
