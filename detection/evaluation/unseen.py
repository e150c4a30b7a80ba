"""Fight models that judge only clips whose source they have not seen, as a new site would be."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.training.cross_validation import FOLDS, INNER_FOLDS, Views, fit_calibrated, folds
from detection.training.extraction import ExtractionOptions, Progress, extract
from detection.training.fitting import LinearModel
from detection.training.labelled_clips import read_labelled_clips
from detection.training.training import TRAINED_ON
from detection.training.views import PLAIN, TRAINING_VIEWS


@dataclass(frozen=True, slots=True)
class UnseenModel:
    """See Probabilities."""

    model: LinearModel

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(1 / (1 + np.exp(-self.model.logits(vectors))), np.float32)


def unseen_models(
    folder: Path, options: ExtractionOptions, progress: Progress
) -> dict[Path, UnseenModel]:
    """For each clip of a folder a model trained, as the shipped one, on the other sources.

    Raises TrainingError, DetectorError.
    """
    clips = read_labelled_clips(folder)
    parts = folds(clips, FOLDS, options.seed)
    views = extract(clips, TRAINING_VIEWS, options, progress)
    jobs = [
        ({name: [views[name][clip] for clip in train] for name in TRAINED_ON}, options.seed)
        for train, _ in parts
    ]
    models: dict[Path, UnseenModel] = {}
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for number, (model, (_, test)) in enumerate(
            zip(pool.map(_fitted, jobs), parts, strict=True), start=1
        ):
            models |= {clips[clip].path: UnseenModel(model) for clip in test}
            progress(f"model {number} of {len(parts)} trained")
    return models


def _fitted(job: tuple[Views, int]) -> LinearModel:
    """Runs in a process of the pool."""
    known, seed = job
    return fit_calibrated(known, TRAINED_ON, PLAIN.name, seed, INNER_FOLDS).model
