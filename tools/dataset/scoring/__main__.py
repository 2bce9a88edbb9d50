"""`python -m tools.dataset.scoring`: fits a scorer and tells how it does on photos kept aside, or on others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tools.data import require_data_root
from tools.dataset.errors import DatasetError
from tools.dataset.filtering import SCORERS, THRESHOLD, features_of
from tools.dataset.scoring.fitting import area_under_curve, fit
from tools.dataset.scoring.samples import samples
from tools.dataset.scoring.scorer import Features, load_fit, save_fit, shipped_fit


def main(argv: Sequence[str] | None = None) -> int:
    """Fits; 0 when done, 1 when something is missing."""
    top = argparse.ArgumentParser(prog="python -m tools.dataset.scoring", description=__doc__)
    top.add_argument("features", choices=SCORERS, help="vehicles: the detector; plain: edges and colours")
    top.add_argument("--labels", type=Path, help="COCO file (default: vehicles/attributes_train.json of the data)")
    top.add_argument("--models", type=Path, metavar="DIR", help="folder of the models (default: the shipped ones)")
    top.add_argument(
        "--output", type=Path, metavar="FILE", help="where the fit goes (default: the shipped one's place)"
    )
    top.add_argument("--seed", type=int, default=7, help="of the cuts (default 7)")
    top.add_argument("--limit", type=int, metavar="N", help="only the first N photos")
    top.add_argument(
        "--measure",
        type=Path,
        metavar="FILE",
        help="fit nothing: how the shipped fit does on all photos of a COCO file",
    )
    args = top.parse_args(argv)
    try:
        features = features_of(args.features, args.models)
        if args.measure:
            values, kinds, _ = _gather(features, args.measure, args.seed, args.limit)
            _tell(figures(load_fit(shipped_fit(features.name)).probability(values), kinds))
            return 0
        labels = args.labels or require_data_root() / "vehicles" / "attributes_train.json"
        values, kinds, dev = _gather(features, labels, args.seed, args.limit)
        if not dev.any():
            raise DatasetError(f"none of the photos of {labels} is kept aside to measure on")
    except (DatasetError, OSError) as error:
        print(f"scoring: error: {error}", file=sys.stderr)
        return 1
    is_car = kinds == "car"
    fitted = fit(values[~dev], is_car[~dev])
    told = figures(fitted.probability(values[dev]), kinds[dev])
    told |= {
        "features": features.name,
        "seed": args.seed,
        "fitted_on": int((~dev).sum()),
        "measured_on": int(dev.sum()),
    }
    _tell(told)
    save_fit(args.output or shipped_fit(features.name), fitted, told)
    return 0


def _tell(told: dict[str, Any]) -> None:
    print("\n".join(f"{key:28} {value}" for key, value in told.items()))


def figures(probability: NDArray[np.float64], kinds: NDArray[np.str_]) -> dict[str, Any]:
    """How a scorer does: area under the curve, and what share of each kind is kept at the threshold."""
    kept = probability >= THRESHOLD
    told = {f"kept_{kind.replace(' ', '_')}": round(float(kept[kinds == kind].mean()), 3) for kind in np.unique(kinds)}
    return {"area_under_curve": round(area_under_curve(probability, kinds == "car"), 4), "threshold": THRESHOLD} | told


def _gather(
    features: Features, labels: Path, seed: int, limit: int | None
) -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.bool_]]:
    rows, kinds, dev = [], [], []
    for sample in tqdm(samples(labels, seed, limit), unit=" cuts", mininterval=1.0):
        rows.append(features.of(sample.image))
        kinds.append(sample.kind)
        dev.append(sample.dev)
    if len(set(kinds)) < 2:
        raise DatasetError(f"{labels} has too few labelled cars to fit on")
    return np.array(rows), np.array(kinds), np.array(dev)


if __name__ == "__main__":
    sys.exit(main())
