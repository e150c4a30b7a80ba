"""A linear model of a window, fitted so that a long clip or a busy one has no louder voice.

Linear, because clips of thirty videos cannot tell finer shapes apart: in trials forests and kernel
machines were no better on videos that they had not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from detection.behaviour.fight_features import BODY_FEATURES
from detection.training.extraction import ClipVectors

FALSE_ALARM_SHARE: Final = 0.05  # of unseen clips without a fight, at the alarm threshold
LARGEST_DEVIATION: Final = 5.0  # in standard deviations; what lies farther out is held to it
ROUNDS: Final = 2
MOST_ITERATIONS: Final = 2000
TOLERANCE: Final = 1e-5
Scales = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How strongly a fit is held back (the inverse of its penalty), how loudly bodies speak."""

    inverse_penalty: float
    body_weight: float


# The model is the mean of the fits of all: in trials they were equally right about unseen videos,
# so that to choose one would be to choose by luck.
AVERAGED: Final = tuple(
    Settings(penalty, weight) for penalty in (0.001, 0.003) for weight in (1.0, 3.0)
)


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """logit = weights · clip((vector - mean) / scale) + bias; nan stands for the mean."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        deviations = _standardised(vectors, self.mean, self.scale)
        return np.asarray(deviations @ self.weights + self.bias)


def fit(clips: Sequence[ClipVectors], settings: Sequence[Settings] = AVERAGED) -> LinearModel:
    """The mean of the models fitted to the vectors of clips, which may come from several views."""
    models = [_fit_likeliest(clips, one) for one in settings]
    return LinearModel(
        mean=np.mean([model.mean for model in models], axis=0),
        scale=np.mean([model.scale for model in models], axis=0),
        weights=np.mean([model.weights for model in models], axis=0),
        bias=float(np.mean([model.bias for model in models])),
    )


def _fit_likeliest(clips: Sequence[ClipVectors], settings: Settings) -> LinearModel:
    """A clip of a fight shows bystanders too.

    So of each such clip the place and window that looks most like a fight to one model is all that
    the next one is fitted to.
    """
    scales = _mean_and_scale(clips)
    model = _fit(clips, settings, scales)
    for _ in range(ROUNDS):
        chosen = [_likeliest(model, clip) if clip.clip.is_fight else clip for clip in clips]
        model = _fit(chosen, settings, scales)
    return model


def _mean_and_scale(clips: Sequence[ClipVectors]) -> Scales:
    vectors = np.concatenate([clip.vectors for clip in clips]).astype(np.float64)
    return np.nanmean(vectors, axis=0), np.maximum(np.nanstd(vectors, axis=0), 1e-6)


def _likeliest(model: LinearModel, clip: ClipVectors) -> ClipVectors:
    if len(clip.vectors) < 2:
        return clip
    best = int(np.argmax(model.logits(clip.vectors)))
    return ClipVectors(clip.clip, clip.vectors[best : best + 1])


def _fit(clips: Sequence[ClipVectors], settings: Settings, scales: Scales) -> LinearModel:
    used = [clip for clip in clips if len(clip.vectors)]
    vectors = np.concatenate([clip.vectors for clip in used]).astype(np.float64)
    fights = np.concatenate([np.full(len(c.vectors), c.clip.is_fight) for c in used])
    voices = np.concatenate([np.full(len(c.vectors), 1 / len(c.vectors)) for c in used])
    for answer in (True, False):  # both answers weigh the same
        voices[fights == answer] *= len(used) / 2 / voices[fights == answer].sum()
    mean, scale = scales
    loudness = np.ones(vectors.shape[1])
    loudness[: len(BODY_FEATURES)] = settings.body_weight
    model = LogisticRegression(C=settings.inverse_penalty, max_iter=MOST_ITERATIONS, tol=TOLERANCE)
    model.fit(_standardised(vectors, mean, scale) * loudness, fights, sample_weight=voices)
    return LinearModel(mean, scale, model.coef_[0] * loudness, float(model.intercept_[0]))


def clip_logit(model: LinearModel, clip: ClipVectors) -> float:
    """The greatest of a clip's places and windows; minus infinity where nobody was near anybody."""
    return float(model.logits(clip.vectors).max(initial=-np.inf))


def clip_probability(model: LinearModel, clip: ClipVectors) -> float:
    """The probability that goes with `clip_logit`: 0 where nobody was near anybody."""
    with np.errstate(over="ignore"):  # exp(inf) is meant
        return float(1 / (1 + np.exp(-clip_logit(model, clip))))


def calibration(logits: NDArray[np.float64], fights: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift that make a probability a share of fights (Platt, 1999).

    `logits` are those of clips whose videos the models that gave them had not seen.
    """
    known = np.isfinite(logits)
    line = LogisticRegression(C=np.inf, max_iter=MOST_ITERATIONS, tol=TOLERANCE)
    line.fit(logits[known, None], fights[known])
    slope, shift = float(line.coef_[0, 0]), float(line.intercept_[0])
    # Not above 0: it ranks unseen clips no better than chance, there is nothing to calibrate by.
    return (slope, shift) if slope > 0 else (1.0, 0.0)


def calibrated(model: LinearModel, slope: float, shift: float) -> LinearModel:
    """The model with its logits stretched and moved."""
    return replace(model, weights=model.weights * slope, bias=model.bias * slope + shift)


def alarm_threshold(probabilities: NDArray[np.float64], fights: NDArray[np.bool_]) -> float:
    """The least, in hundredths, that no more than one in twenty clips without a fight reaches."""
    others = np.sort(probabilities[~fights])[::-1]
    highest_refused = float(others[int(FALSE_ALARM_SHARE * len(others))])
    return min(1.0, (floor(highest_refused * 100) + 1) / 100)


def _standardised(
    vectors: NDArray[np.floating], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    deviations = (np.where(np.isnan(vectors), mean, vectors) - mean) / scale
    return np.clip(deviations, -LARGEST_DEVIATION, LARGEST_DEVIATION)
