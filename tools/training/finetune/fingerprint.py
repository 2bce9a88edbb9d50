"""What a fine-tuning run was begun with, kept in its folder: other data or options need another folder."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from tools.training.datasets.load import Material
from tools.training.finetune.parts import float_file

NAME = "begun_with.json"


def fingerprint(material: Material, arguments: argparse.Namespace, data_folder: bool) -> dict[str, object]:
    """What decides what a run learns, but for how long: hashes of data and first weights, and the options.

    Raises FileNotFoundError without the first weights of a model that is trained.
    """
    has_boxes, has_texts = any(len(s.boxes) for s in material.samples), bool(material.crops)
    found: dict[str, object] = {
        "data": _of_data(material),
        "data folder": data_folder,
        "label": arguments.label,
        "batch": arguments.batch,
        "seed": arguments.seed,
    }
    for name, trained in (("yolov3", has_boxes), ("crnn", has_texts)):
        if trained and arguments.only in (None, name):
            content = float_file(arguments.models, name).read_bytes()
            found[f"weights of {name}"] = hashlib.sha256(content).hexdigest()
    return found


def begin(run: Path, own: dict[str, object]) -> None:
    """Keep the fingerprint in a new run's folder; raises ValueError where the run was begun with something else.

    What only one of two commands trains (--only) is added to what is known of the run.
    """
    file = run / NAME
    known: dict[str, object] = {}
    if file.is_file():
        known = json.loads(file.read_text(encoding="utf-8"))
        differing = [key for key, value in own.items() if key in known and known[key] != value]
        if differing:
            raise ValueError(
                f"the run in {run} was begun with other {', '.join(differing)}: name another folder with --run, or "
                "delete that one to begin anew"
            )
    elif any((run / name / "last.pt").exists() for name in ("yolov3", "crnn")):
        raise ValueError(f"what the run in {run} was begun with is not known ({NAME} is missing): name another --run")
    file.write_text(json.dumps(known | own, indent=2) + "\n", encoding="utf-8")


def _of_data(material: Material) -> str:
    digest = hashlib.sha256()
    for sample in material.samples:
        digest.update(repr((sample.name, sample.image.shape, sample.boxes.tolist())).encode())
        digest.update(sample.image.tobytes())
    for crop, _ in material.crops:
        digest.update(repr((crop.file_name, crop.text, crop.image.shape)).encode())
        digest.update(crop.image.tobytes())
    return digest.hexdigest()
