"""Step `filter`: keeps pictures that show a whole car from outside; interiors, details and all else go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.dataset.errors import DatasetError
from tools.dataset.manifest import Manifest
from tools.dataset.outcomes import Outcome
from tools.dataset.pictures import UnreadableError, read_colour
from tools.dataset.running import Runner
from tools.dataset.scoring.finder import ModelFinder, lacking
from tools.dataset.scoring.plain import PlainFeatures
from tools.dataset.scoring.scorer import Features, FittedScorer, Scorer, load_fit, shipped_fit
from tools.dataset.scoring.vehicles import VehicleFeatures

STEP = "filter"
THRESHOLD = 0.7
SCORERS = ("vehicles", "plain")
DECODED_PX = 416


@dataclass(frozen=True)
class FilterJob:
    """Scores the pictures of a catalogue; below ``threshold`` they go out.

    ``scorer`` is of `SCORERS`, ``fit`` another file of its weights, ``models`` another folder of models.
    """

    root: bytes
    scorer: str
    threshold: float = THRESHOLD
    fit: Path | None = None
    models: Path | None = None

    def worker(self) -> FilterWorker:
        return FilterWorker(self.root, load_scorer(self.scorer, self.fit, self.models), self.threshold)


class FilterWorker:
    """Judges pictures with a scorer."""

    def __init__(self, root: bytes, scorer: Scorer, threshold: float) -> None:
        self._root, self._scorer, self._threshold = root, scorer, threshold

    def __call__(self, number: int, path: bytes) -> Outcome:
        try:
            image = read_colour(self._root, path, DECODED_PX)
        except UnreadableError as error:
            return Outcome("out", error.reason, str(error))
        score = self._scorer.score(image)
        if score.car >= self._threshold:
            return Outcome("kept", detail=f"{score.car:.3f}")
        return Outcome("out", score.why, f"{score.car:.3f}")


def best_scorer(models: Path | None = None) -> tuple[str, str]:
    """The name of the scorer that is best of those that can be used here, and why it is this one."""
    why_not = lacking(models)
    return ("plain", f"without the detector, for {why_not}") if why_not else ("vehicles", "the detector is there")


def features_of(name: str, models: Path | None = None) -> Features:
    """The features of a scorer. Raises DatasetError where there is none of that name or its model is missing."""
    match name:
        case "plain":
            return PlainFeatures()
        case "vehicles":
            return VehicleFeatures(ModelFinder(models))
    raise DatasetError(f"there is no scorer {name!r}; there are {', '.join(SCORERS)}")


def load_scorer(name: str, fit: Path | None = None, models: Path | None = None) -> Scorer:
    """A scorer by its name. Raises DatasetError where its model or fit is missing."""
    features, file = features_of(name, models), fit or shipped_fit(name)
    logistic = load_fit(file)
    if len(logistic.weights) != features.count:
        raise DatasetError(f"{file} was fitted on other features than those of the scorer {name!r}")
    return FittedScorer(features, logistic)


def filter_(
    manifest: Manifest, runner: Runner, job: FilterJob, progress: Callable[[int], object], again: bool = False
) -> None:
    """Scores all pictures that are in and have no score yet."""
    load_scorer(job.scorer, job.fit, job.models)  # what is missing is told before anything begins
    settings = {"scorer": job.scorer, "threshold": job.threshold, "fit": job.fit and str(job.fit)}
    manifest.begin(STEP, settings, again)
    for outcomes in runner.run(job, manifest.pages(manifest.pending(STEP))):
        manifest.write(STEP, outcomes)
        progress(len(outcomes))
    manifest.finish(STEP)
