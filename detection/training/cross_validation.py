"""How right the model is on videos it has not seen; what it is tuned by, it is never tested on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from detection.training.extraction import ClipVectors
from detection.training.fitting import (
    LinearModel,
    alarm_threshold,
    calibrated,
    calibration,
    clip_logit,
    clip_probability,
    fit,
)
from detection.training.labelled_clips import LabelledClip, TrainingError

FOLDS: Final = 5
INNER_FOLDS: Final = 4
Views = Mapping[str, Sequence[ClipVectors]]  # by name; the same clips in the same order in each
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What models said of clips whose videos they had not seen, by view."""

    probabilities: Mapping[str, NDArray[np.float64]]
    alarms: NDArray[np.bool_]  # on the main view, each by the threshold of its own model
    fold: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A calibrated model and the probability at which it is worth an alarm."""

    model: LinearModel
    threshold: float


def folds(
    clips: Sequence[LabelledClip], count: int, seed: int
) -> list[tuple[list[int], list[int]]]:
    """Training and test clip numbers; no video is in both. Raises TrainingError."""
    sources = [clip.source for clip in clips]
    for answer, name in ((True, "fight"), (False, "no_fight")):
        held = {clip.source for clip in clips if clip.is_fight is answer}
        if len(held) < count:
            raise TrainingError(
                f"{name!r} clips come from {len(held)} sources, {count} are needed: a model cannot "
                f"be tested on videos that it has not seen. Add clips of other videos."
            )
    split = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    fights = [clip.is_fight for clip in clips]
    return [
        (train.tolist(), test.tolist()) for train, test in split.split(sources, fights, sources)
    ]


def fit_calibrated(
    views: Views, trained_on: Sequence[str], main: str, seed: int, count: int
) -> Fitted:
    """Fit to all, calibrated by what models fitted to a part said of the rest on the main view."""
    clips = [vectors.clip for vectors in views[main]]
    fights = np.array([clip.is_fight for clip in clips])

    unseen = np.zeros(len(clips))
    for train, test in folds(clips, count, seed):
        model = fit(_of(views, trained_on, train))
        unseen[test] = [clip_logit(model, views[main][number]) for number in test]
    slope, shift = calibration(unseen, fights)
    model = calibrated(fit(_of(views, trained_on, range(len(clips)))), slope, shift)
    with np.errstate(over="ignore"):  # a clip without a pair: exp(inf), probability 0
        said = 1 / (1 + np.exp(-(unseen * slope + shift)))
    return Fitted(model, alarm_threshold(said, fights))


def predict_unseen(views: Views, trained_on: Sequence[str], main: str, seed: int) -> Prediction:
    """Predict each clip by a model that was fitted and calibrated without its source video."""
    clips = [vectors.clip for vectors in views[main]]
    said = {name: np.zeros(len(clips)) for name in views}
    fold_of = np.zeros(len(clips), np.int64)
    alarms = np.zeros(len(clips), np.bool_)
    for fold, (train, test) in enumerate(folds(clips, FOLDS, seed)):
        known = {name: [views[name][number] for number in train] for name in trained_on}
        fitted = fit_calibrated(known, trained_on, main, seed, INNER_FOLDS)
        for name, answers in said.items():
            answers[test] = [clip_probability(fitted.model, views[name][number]) for number in test]
        alarms[test] = said[main][test] >= fitted.threshold
        fold_of[test] = fold
    return Prediction(said, alarms, fold_of)


def _of(views: Views, names: Sequence[str], numbers: Sequence[int]) -> list[ClipVectors]:
    return [views[name][number] for name in names for number in numbers]
