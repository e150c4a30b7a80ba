"""How often a confidence is right: a curve through officers' verdicts."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Fewer verdicts make no curve: with 30, a share of a half is known to about ±18 %.
FEWEST: Final = 30
FEWEST_OF_EACH: Final = 5
# Below about a thousand, isotonic regression follows chance; Platt's curve has two parameters only.
# https://scikit-learn.org/stable/modules/calibration.html#isotonic
ISOTONIC_FROM: Final = 1000
STEP: Final = 5  # of the confidences at which the curve is kept


@dataclass(frozen=True, slots=True)
class Judged:
    """An episode's peak confidence, 0 to 100, and whether an officer called it a crime."""

    confidence: float
    is_crime: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """The probability (0 to 1) of a crime at confidences in rising order, by which method."""

    method: str
    points: tuple[tuple[float, float], ...]

    @property
    def is_rising(self) -> bool:
        """Whether the surer is the righter; else the confidence tells nothing."""
        return self.points[-1][1] > self.points[0][1]

    def at(self, confidence: float) -> float:
        """The probability at a confidence; beyond the ends, the end's."""
        xs = [x for x, _ in self.points]
        place = bisect_left(xs, confidence)
        if place == 0 or place == len(xs):
            return self.points[min(place, len(xs) - 1)][1]
        (x1, y1), (x2, y2) = self.points[place - 1], self.points[place]
        return y1 + (y2 - y1) * (confidence - x1) / (x2 - x1)


@dataclass(frozen=True, slots=True)
class Share:
    """Of the episodes whose peak lies between two confidences, how many were crimes."""

    begin: int
    end: int
    crimes: int
    episodes: int


def missing(judged: Sequence[Judged]) -> str:
    """What is missing for a threshold to be suggested, in words; empty where there is enough."""
    count = FEWEST - len(judged)
    return f"{count} more verdict{'s' * (count > 1)}" if count > 0 else ""


def missing_for_curve(judged: Sequence[Judged]) -> str:
    """What is missing for a curve, in words; empty where there is enough."""
    crimes = sum(one.is_crime for one in judged)
    wanted = [missing(judged)]
    for word, count in (("confirmed", crimes), ("dismissed", len(judged) - crimes)):
        if count < FEWEST_OF_EACH:
            wanted.append(f"{FEWEST_OF_EACH - count} more {word}")
    return ", ".join(word for word in wanted if word)


def fit(judged: Sequence[Judged]) -> Curve | None:
    """The curve through the verdicts, over the confidences there are; None for too few."""
    if missing_for_curve(judged):
        return None
    confidences = [one.confidence for one in judged]
    at = _places(min(confidences), max(confidences))
    is_isotonic = len(judged) >= ISOTONIC_FROM
    probabilities = (_isotonic if is_isotonic else _platt)(judged, at)
    points = tuple((x, round(float(y), 4)) for x, y in zip(at, probabilities, strict=True))
    return Curve("isotonic" if is_isotonic else "Platt", points)


def shares(judged: Sequence[Judged], width: int = 10) -> list[Share]:
    """What was really judged, in stretches of confidence; empty ones are left out."""
    found = []
    for begin in range(0, 100, width):
        end = begin + width
        # 100 belongs to the last.
        within = [one for one in judged if begin <= one.confidence < (end if end < 100 else 101)]
        if within:
            found.append(Share(begin, end, sum(one.is_crime for one in within), len(within)))
    return found


def _places(lowest: float, highest: float) -> list[float]:
    between = [float(x) for x in range(0, 101, STEP) if lowest < x < highest]
    return [lowest, *between, *([highest] if highest > lowest else [])]


def _platt(judged: Sequence[Judged], at: Sequence[float]) -> Sequence[float]:
    """Platt's sigmoid with his targets, which keep it from being surer than the counts allow.

    J. Platt, Probabilistic outputs for support vector machines, 1999, part 2.2.
    """
    # On first use: it takes a second, and only who calibrates needs it.
    from sklearn.linear_model import LogisticRegression

    crimes = sum(one.is_crime for one in judged)
    sure, unsure = (crimes + 1) / (crimes + 2), 1 / (len(judged) - crimes + 2)
    xs = [[one.confidence / 100] for one in judged]
    weights = [sure if one.is_crime else unsure for one in judged]
    model = LogisticRegression(C=float("inf"), max_iter=1000)
    model.fit(
        xs + xs,
        [1] * len(xs) + [0] * len(xs),
        sample_weight=weights + [1 - weight for weight in weights],
    )
    return [float(y) for y in model.predict_proba([[x / 100] for x in at])[:, 1]]


def _isotonic(judged: Sequence[Judged], at: Sequence[float]) -> Sequence[float]:
    from sklearn.isotonic import IsotonicRegression  # on first use, as above

    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    model.fit([one.confidence for one in judged], [float(one.is_crime) for one in judged])
    return [float(y) for y in model.predict(list(at))]
