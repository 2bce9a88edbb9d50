"""The detector on one's own pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from tools.training.common.card import Figures
from tools.training.common.recover import recover
from tools.training.common.run_folder import RunFolder
from tools.training.finetune.parts import Options, Tuned, float_file, hold_out, manifest_of, mixed, write_tuned_card
from tools.training.yolov3.dataset import SOURCES, Sample, in_dev, load
from tools.training.yolov3.export import PRECISIONS, export
from tools.training.yolov3.network import YoloV3
from tools.training.yolov3.train import TrainSettings, train

RATE = 5e-4
WARMUP_STEPS = 100


def finetune_detector(own: Sequence[Sample], root: Path | None, steps: int, batch: int, options: Options) -> None:
    """Train the shipped detector on with one's own pictures, and those of the data folder if it is there.

    Writes the new ``yolov3`` in both precisions, its manifest and its card. Raises FileNotFoundError without the
    shipped float32 file, ValueError when that is of another network.
    """
    kept, dev = hold_out(own, lambda sample: sample.name)
    ours = [s for s in load(root, SOURCES) if not in_dev(s.name)] if root else []
    start, anchors = shipped_checkpoint(options)
    settings = TrainSettings(
        steps=steps, batch=batch, learning_rate=RATE, weight_decay=0.02, seed=options.seed,
        evaluate_every=max(1, min(100, steps // 4)), warmup=min(WARMUP_STEPS, max(1, steps // 4)),
        patience=options.patience, device=options.device, precision=options.precision,
    )  # fmt: skip
    train(mixed(kept, ours), settings, options.run / "yolov3", start, dev, anchors)
    figures = export(options.run / "yolov3", options.target, options.seed, kept, dev)
    trained = manifest_of(options.target, "yolov3")["trained_steps"]
    tuned = Tuned(
        name="yolov3",
        title="licence plates in a grey picture",
        summary=f"The shipped detector, trained on for {trained} steps with one's own pictures.",
        sources=[s.source for s in [*kept, *ours]],
        what="pictures",
        data=f"{len(kept)} own pictures with {sum(len(s.boxes) for s in kept)} plates; {len(dev)} others, chosen by a "
        "hash of their names,",
        figures=[
            Figures(
                f"AP@0.5 on the {len(dev)} own pictures held out, which chose the checkpoint:",
                ("precision", "AP@0.5"),
                [(name, "–" if figures[name] is None else figures[name]) for name in PRECISIONS],
            )
        ],
        limits=["The figures are of few pictures, from the same cameras as the training's: expect less elsewhere."],
        trainer="tools.training.yolov3",
    )
    write_tuned_card(tuned, root, options)


def shipped_checkpoint(options: Options) -> tuple[Path, torch.Tensor]:
    """The shipped weights as a checkpoint in the run's folder, and their anchors (3 * scales, 2)."""
    network = YoloV3()
    recover(network, float_file(options.models, "yolov3"))
    anchors = torch.tensor(manifest_of(options.models, "yolov3")["anchors"]).float().view(-1, 2)
    folder = RunFolder(options.run / "yolov3")
    folder.save("shipped.pt", {"ema": network.state_dict(), "anchors": anchors})
    return folder.folder / "shipped.pt", anchors
